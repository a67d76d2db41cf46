import { createHmac, timingSafeEqual } from 'node:crypto';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { type Component, type ComponentKind, componentKinds } from './components.ts';
import { BOOT_ID_FILE, isRootOfHost } from './forged-files.ts';
import { hostFiles, type SystemFiles } from './system-files.ts';

/**
 * Where `edge-infer hardware record` leaves what a service without root may not read. In a folder of
 * its own: a service's runtime folder belongs to the service and goes when it stops.
 */
export const ROOT_DIGESTS_FILE = '/run/edge-infer-hardware/hardware.json';

/** What only root may read, of what tells hosts apart. */
const rootOnlyKinds: readonly ComponentKind[] = [
  'product-uuid',
  'board-serial',
  'product-serial',
  'root-disk',
];

const GROUP_OR_OTHERS_WRITE = 0o022;

interface RootDigests {
  readonly v: 1;
  readonly components: readonly Component[];
  /** Over the components, with the number of this boot: a copy from another host is not taken. */
  readonly mac: string;
}

export type RootDigestsReading =
  | { readonly state: 'read'; readonly components: readonly Component[] }
  | { readonly state: 'missing' }
  | { readonly state: 'refused'; readonly reason: string };

/** Reads what root left, if it is root's, of this boot, and nobody else could have changed it. */
export function readRootDigests(
  files: SystemFiles,
  path: string = ROOT_DIGESTS_FILE,
): RootDigestsReading {
  const refused = (reason: string) => ({ state: 'refused', reason: `${path} ${reason}` }) as const;
  const reading = files.readText(path);
  if (reading.state === 'missing') return { state: 'missing' };
  if (reading.state === 'denied') return refused('may not be read by this process');
  if (!isRootOfHost(files)) return refused("is not used: root is not the host's own here");
  for (const place of [path, dirname(path)]) {
    const ownership = files.ownership(place);
    if (ownership?.userId !== 0)
      return refused('is not used: it or its folder is not owned by root');
    if ((ownership.mode & GROUP_OR_OTHERS_WRITE) !== 0) {
      return refused('is not used: others than root may change it or its folder');
    }
  }
  const bootId = readBootId(files);
  const digests = parse(reading.text);
  if (bootId === undefined) return refused('is not used: this boot has no number');
  if (digests === undefined) return refused('is damaged');
  const expected = Buffer.from(computeMac(digests.components, bootId));
  const given = Buffer.from(digests.mac);
  return expected.length === given.length && timingSafeEqual(expected, given)
    ? { state: 'read', components: digests.components }
    : refused('is not used: it was not written since this host started');
}

/**
 * Writes what this process, run as root, may read, for a service that may not, and returns what of
 * it that is. Who may read the file is up to the umask: digests of short serial numbers can be found
 * by trying, and a service whose user exists only while it runs has no group to give them to.
 *
 * @throws the system's error when it cannot be written
 */
export async function writeRootDigests(
  components: readonly Component[],
  path: string = ROOT_DIGESTS_FILE,
): Promise<readonly Component[]> {
  const bootId = readBootId(hostFiles);
  if (bootId === undefined) throw new Error('this system does not number its boots');
  const kept = components.filter(({ kind }) => rootOnlyKinds.includes(kind));
  const content: RootDigests = { v: 1, components: kept, mac: computeMac(kept, bootId) };
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const temporary = `${path}.${process.pid}`;
  try {
    await writeFile(temporary, `${JSON.stringify(content)}\n`, { flag: 'wx', mode: 0o644 });
    await rename(temporary, path);
    return kept;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

function readBootId(files: SystemFiles): string | undefined {
  const reading = files.readText(BOOT_ID_FILE);
  return reading.state === 'read' ? reading.text.trim() : undefined;
}

function computeMac(components: readonly Component[], bootId: string): string {
  return createHmac('sha256', `edge-infer root digests v1 ${bootId}`)
    .update(JSON.stringify(components.map(({ kind, digest }) => [kind, digest])))
    .digest('hex');
}

function parse(text: string): RootDigests | undefined {
  try {
    const { v, components, mac } = JSON.parse(text) as RootDigests;
    const isWhole =
      v === 1 &&
      typeof mac === 'string' &&
      components.every(
        ({ kind, digest }) => componentKinds.includes(kind) && /^[0-9a-f]{64}$/.test(digest),
      );
    return isWhole ? { v, components, mac } : undefined;
  } catch {
    return undefined; // no JSON, or no list where one belongs
  }
}
