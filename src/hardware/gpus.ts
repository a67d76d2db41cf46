import { digestValue, type GpuFacts, type MachineKind } from './components.ts';
import type { RunProgram } from './run-program.ts';
import type { SystemFiles } from './system-files.ts';

const DRIVER_FOLDER = '/proc/driver/nvidia';
const NVIDIA = '0x10de';
/** Display controllers: 0x0300 with a monitor, 0x0302 without. */
const DISPLAY_CLASS = /^0x03/;

interface Gpu {
  readonly model: string;
  /** undefined while the driver masks it, until the card is first used. */
  readonly uuid: string | undefined;
}

/**
 * The graphics cards by the UUIDs that their driver tells: from its files, else by asking
 * nvidia-smi, which also wakes a card that sleeps.
 */
export async function readGpus(
  files: SystemFiles,
  machine: MachineKind,
  run: RunProgram,
): Promise<GpuFacts> {
  const fromFiles = listFromFiles(files);
  // A container sees all cards on the bus and may use some.
  const cardsOnBus = machine === 'container' ? fromFiles.length : countCardsOnBus(files);
  const isDriverLoaded =
    files.realPath(DRIVER_FOLDER) !== undefined || files.realPath('/dev/dxg') !== undefined;
  if (!isDriverLoaded) {
    return cardsOnBus === 0
      ? { state: 'none' }
      : { state: 'pending', reason: 'there is a card of NVIDIA, whose driver is not loaded' };
  }
  const areAllKnown =
    fromFiles.length >= Math.max(1, cardsOnBus) &&
    fromFiles.every(({ uuid }) => uuid !== undefined);
  const asked = areAllKnown ? undefined : await run('nvidia-smi', ['-L']);
  const gpus = asked === undefined ? fromFiles : [...fromFiles, ...parseList(asked)];
  return summarise(gpus, Math.max(cardsOnBus, fromFiles.length));
}

function summarise(gpus: readonly Gpu[], expectedCount: number): GpuFacts {
  const known = new Map(gpus.flatMap(({ model, uuid }) => (uuid ? [[uuid, model] as const] : [])));
  const digests: string[] = [];
  const refused = new Set<string>();
  for (const [uuid, model] of known) {
    if (uuid.startsWith('mig-')) refused.add(`instance of a card (${model})`);
    else if (isShared(model)) refused.add(`vGPU (${model})`);
    else digests.push(digestValue('gpu', uuid));
  }
  // Who has an instance may never see its card.
  const cardCount = [...known.keys()].filter((uuid) => !uuid.startsWith('mig-')).length;
  const isPending = cardCount < Math.max(1, expectedCount) && cardCount === known.size;
  const pendingReason = isPending
    ? `the driver has told ${cardCount} of ${Math.max(1, expectedCount)} UUIDs so far`
    : undefined;
  if (digests.length === 0 && refused.size === 0) {
    return { state: 'pending', reason: pendingReason ?? 'the driver tells no UUID' };
  }
  return {
    state: 'present',
    digests,
    refused: [...refused].sort(),
    ...(pendingReason === undefined ? {} : { pendingReason }),
  };
}

function listFromFiles(files: SystemFiles): readonly Gpu[] {
  const folder = `${DRIVER_FOLDER}/gpus`;
  return files.list(folder).flatMap((card) => {
    const information = files.readText(`${folder}/${card}/information`);
    if (information.state !== 'read') return [];
    const field = (name: string) =>
      new RegExp(`^${name}:\\s*(.*)$`, 'm').exec(information.text)?.[1]?.trim();
    return [{ model: field('Model') ?? 'unknown', uuid: toUuid(field('GPU UUID')) }];
  });
}

/** `GPU 0: NVIDIA A30 (UUID: GPU-...)`, and below it `  MIG 1g.6gb Device 0: (UUID: MIG-...)`. */
function parseList(list: string): readonly Gpu[] {
  return [...list.matchAll(/^\s*(?:GPU \d+: )?(.*?)(?:\s+Device\s+\d+:)? \(UUID: ([^)]*)\)/gm)].map(
    ([, model = 'unknown', uuid]) => ({ model, uuid: toUuid(uuid) }),
  );
}

/** In lower case; undefined for `GPU-????????-...`, which the driver says until a card is used. */
function toUuid(text: string | undefined): string | undefined {
  const uuid = text?.toLowerCase();
  return uuid !== undefined && /^(gpu|mig)-[0-9a-f/-]+$/.test(uuid) ? uuid : undefined;
}

/** Whether a model is a share of a card: `GRID V100D-8Q`, `NVIDIA A40-48Q`, `NVIDIA A100-1-5CME`. */
function isShared(model: string): boolean {
  return /\bGRID\b|-\d+[ABCQ](ME)?$/i.test(model);
}

/** Cards that no other driver holds, to pass them on to a virtual machine for instance. */
function countCardsOnBus(files: SystemFiles): number {
  const folder = '/sys/bus/pci/devices';
  return files.list(folder).filter((name) => {
    const read = (file: string) => {
      const reading = files.readText(`${folder}/${name}/${file}`);
      return reading.state === 'read' ? reading.text.trim() : '';
    };
    const driver = files.realPath(`${folder}/${name}/driver`);
    return (
      read('vendor') === NVIDIA &&
      DISPLAY_CLASS.test(read('class')) &&
      (driver === undefined || driver.endsWith('/nvidia'))
    );
  }).length;
}
