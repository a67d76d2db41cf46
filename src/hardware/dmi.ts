import type { Finding } from './finding.ts';
import { isJunkSerial, isJunkUuid } from './junk-values.ts';
import type { SystemFiles } from './system-files.ts';

const FOLDER = '/sys/class/dmi/id';

const serialFiles = {
  'board-serial': `${FOLDER}/board_serial`,
  'product-serial': `${FOLDER}/product_serial`,
} as const;

export type SerialKind = keyof typeof serialFiles;

/** UUID of the machine as its firmware (SMBIOS) tells it; only root may read it. */
export function readProductUuid(files: SystemFiles): Finding {
  const kind = 'product-uuid';
  const reading = files.readText(`${FOLDER}/product_uuid`);
  if (reading.state !== 'read') return unreadFinding(kind, reading.state);
  const uuid = normaliseUuid(reading.text);
  return uuid === undefined
    ? { kind, values: [], note: 'the firmware tells no UUID of this machine, or a sample one' }
    : { kind, values: [uuid] };
}

/** Serial number of the mainboard or of the whole machine; only root may read them. */
export function readSerial(files: SystemFiles, kind: SerialKind): Finding {
  const reading = files.readText(serialFiles[kind]);
  if (reading.state === 'missing' && kind === 'product-serial') {
    // Boards without SMBIOS (Raspberry Pi, Jetson) tell theirs in the device tree.
    const tree = files.readText('/sys/firmware/devicetree/base/serial-number');
    const serial = tree.state === 'read' ? normaliseSerial(tree.text) : undefined;
    if (serial !== undefined) return { kind, values: [serial] };
  }
  if (reading.state !== 'read') return unreadFinding(kind, reading.state);
  const serial = normaliseSerial(reading.text);
  return serial === undefined
    ? { kind, values: [], note: `the ${words[kind]} is a placeholder of the maker's` }
    : { kind, values: [serial] };
}

const words = {
  'product-uuid': "machine's UUID",
  'board-serial': "mainboard's serial number",
  'product-serial': "machine's serial number",
};

function unreadFinding(kind: keyof typeof words, state: 'missing' | 'denied'): Finding {
  return state === 'denied'
    ? { kind, values: [], isUnreadable: true, note: `this process may not read the ${words[kind]}` }
    : { kind, values: [], isMissing: true, note: `the firmware tells no ${words[kind]}` };
}

/** In lower case; undefined for what is no UUID or one that many machines have. */
export function normaliseUuid(text: string): string | undefined {
  const uuid = text.trim().toLowerCase();
  const isUuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uuid);
  return isUuid && !isJunkUuid(uuid) ? uuid : undefined;
}

/** In upper case, white space and NULs collapsed; undefined for junk. */
export function normaliseSerial(text: string): string | undefined {
  const serial = text
    .replaceAll('\0', ' ') // which ends the device tree's texts
    .replaceAll(/\s+/g, ' ')
    .trim()
    .toUpperCase();
  return isJunkSerial(serial) ? undefined : serial;
}
