import type { MachineKind } from './components.ts';
import type { Finding } from './finding.ts';
import { isJunkAddress } from './junk-values.ts';
import type { RunProgram } from './run-program.ts';
import type { SystemFiles } from './system-files.ts';

/** `NET_ADDR_PERM` of Linux' netdevice.h: the address is the card's own. */
const PERMANENT = '0';
/** `ARPHRD_ETHER` and `ARPHRD_INFINIBAND`. */
const linkTypes = new Set(['1', '32']);

interface Card {
  readonly name: string;
  readonly isUsb: boolean;
  /** 12 hexadecimal digits; undefined when the card carries another address than its own. */
  readonly address: string | undefined;
}

/**
 * The burnt-in addresses of cards that are there in hardware, in the order of their slots. Bridges,
 * bonds, tunnels, containers' ends and addresses that were set do not count; addresses marked as
 * locally administered only in a virtual machine, where the host gives them. Cards on USB, which
 * hosts share, count only where there are no others.
 */
export async function readNetworkCards(
  files: SystemFiles,
  machine: MachineKind,
  run: RunProgram,
): Promise<Finding> {
  const kind = 'network-card';
  const cards = findCards(files);
  const ownAddresses = cards.some(({ address }) => address === undefined)
    ? await askForOwnAddresses(run)
    : new Map<string, string>();
  const usable = cards.flatMap(({ name, isUsb, address = ownAddresses.get(name) }) =>
    address !== undefined && isOfHardware(address, machine) ? [{ isUsb, address }] : [],
  );
  const builtIn = usable.filter(({ isUsb }) => !isUsb);
  const values = (builtIn.length > 0 ? builtIn : usable).map(({ address }) => address);
  return values.length === 0
    ? { kind, values, note: 'no network card with an address of its own was found' }
    : { kind, values: [...new Set(values)] };
}

function findCards(files: SystemFiles): readonly Card[] {
  return files
    .list('/sys/class/net')
    .flatMap((name) => {
      const folder = `/sys/class/net/${name}`;
      const device = files.realPath(`${folder}/device`);
      const read = (file: string) => {
        const reading = files.readText(`${folder}/${file}`);
        return reading.state === 'read' ? reading.text.trim() : undefined;
      };
      if (device === undefined || !linkTypes.has(read('type') ?? '1')) return [];
      // A card that is part of a bond carries the bond's address.
      const own =
        read('bonding_slave/perm_hwaddr') ??
        (read('addr_assign_type') === PERMANENT ? read('address') : undefined);
      const isUsb = device.includes('/usb');
      return [{ name, device, isUsb, address: own === undefined ? undefined : toDigits(own) }];
    })
    .sort((a, b) => compareTexts(a.device, b.device) || compareTexts(a.name, b.name));
}

/** From iproute2, which asks the kernel for `IFLA_PERM_ADDRESS`; no file tells it. */
async function askForOwnAddresses(run: RunProgram): Promise<ReadonlyMap<string, string>> {
  const answer = await run('ip', ['-json', 'link', 'show']);
  try {
    const links = JSON.parse(answer ?? '[]') as readonly { ifname?: string; permaddr?: string }[];
    return new Map(
      links.flatMap(({ ifname, permaddr }) =>
        ifname && permaddr ? [[ifname, toDigits(permaddr)] as const] : [],
      ),
    );
  } catch {
    return new Map(); // another program of that name, or one too old for JSON
  }
}

function isOfHardware(address: string, machine: MachineKind): boolean {
  const first = Number.parseInt(address.slice(0, 2), 16);
  const isEthernet = address.length === 12;
  if (!/^([0-9a-f]{2}){6,20}$/.test(address) || isJunkAddress(address)) return false;
  const isMulticast = isEthernet && (first & 1) !== 0;
  const isLocal = isEthernet && (first & 2) !== 0;
  return !isMulticast && (!isLocal || machine === 'virtual');
}

const toDigits = (address: string) => address.toLowerCase().replaceAll(/[^0-9a-f]/g, '');

/** By characters, whatever the language of the host. */
const compareTexts = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
