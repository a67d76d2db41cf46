import { err, type Result } from '../core/result.ts';
import { type ComponentKind, componentKinds } from '../hardware/components.ts';
import { readArmour, writeArmour } from './armour.ts';
import { drawQrCode } from './qr-code.ts';
import { decodeRequest, encodeRequest, expectedLength, type LicenseRequest } from './request.ts';
import { readGroups, writeGroups } from './typed-groups.ts';

const LABEL = 'LICENSE REQUEST';
/** What is not a request is not read to its end. */
const MAXIMUM_CHARACTERS = 16 * 1024;

const machineNames = {
  'bare-metal': 'a machine of its own',
  virtual: 'a virtual machine',
  container: 'a container',
};

const kindNames: Record<ComponentKind, readonly [one: string, many: string]> = {
  'product-uuid': ['machine UUID', 'machine UUIDs'],
  'board-serial': ['mainboard serial number', 'mainboard serial numbers'],
  'product-serial': ['machine serial number', 'machine serial numbers'],
  'root-disk': ['root disk', 'root disks'],
  'network-card': ['network card', 'network cards'],
  'machine-id': ['machine id', 'machine ids'],
  'cpu-model': ['CPU model', 'CPU models'],
};

/** What a request holds, for people: lines that end with LF. */
export function describeRequest({ machine, components, gpus }: LicenseRequest): string {
  const counts = componentKinds.map((kind) => ({
    kind,
    count: components.filter((one) => one.kind === kind).length,
  }));
  const found = counts
    .filter(({ count }) => count > 0)
    .map(({ kind, count }) =>
      count === 1 ? kindNames[kind][0] : `${count} ${kindNames[kind][1]}`,
    );
  if (gpus.length > 0) {
    found.push(gpus.length === 1 ? 'graphics card' : `${gpus.length} graphics cards`);
  }
  const missing = counts.filter(({ count }) => count === 0).map(({ kind }) => kindNames[kind][0]);
  const lines = [
    `Request for a licence of edge-infer, from ${machineNames[machine]}.`,
    `Found: ${found.join(', ') || 'nothing'}.`,
    ...(missing.length === 0 ? [] : [`Not found: ${missing.join(', ')}.`]),
    'What follows holds salted hashes of these, no serial number.',
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** A file of at most 1 KB: what was found, then the request in armour. */
export function writeRequestFile(request: LicenseRequest): string {
  return `${describeRequest(request)}\n${writeArmour(LABEL, encodeRequest(request))}`;
}

/** Groups to be typed or read out where no file may leave. */
export function writeRequestGroups(request: LicenseRequest): string {
  return writeGroups(encodeRequest(request));
}

/** Reads a request's file, or its groups as they were typed or came out of a QR code. */
export function parseRequest(text: string): Result<LicenseRequest, string> {
  if (text.length > MAXIMUM_CHARACTERS) {
    return err(
      `expected a request of at most ${MAXIMUM_CHARACTERS} characters, found ${text.length}`,
    );
  }
  // Mail adds text around it, and blanks at the ends of lines.
  const armour = /^-----BEGIN[\s\S]*?(?:^-----END.*|(?![\s\S]))/m.exec(text)?.[0];
  const bytes =
    armour === undefined
      ? readGroups(text, expectedLength)
      : readArmour(Buffer.from(`${armour.replaceAll(/\s*\n/g, '\n').trimEnd()}\n`), LABEL);
  return bytes.ok ? decodeRequest(bytes.value) : bytes;
}

/** The groups as a QR code for a terminal. */
export function drawRequest(
  request: LicenseRequest,
  options: { readonly colour: boolean },
): string {
  return drawQrCode(writeRequestGroups(request).replaceAll(/\s/g, ''), options);
}
