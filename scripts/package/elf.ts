import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { OperatorError } from '../../src/core/errors.ts';
import type { ArchiveEntry } from './entry.ts';
import { runTool } from './tool.ts';

/** What shipped programs and libraries ask of the host that loads them. */
export interface LoaderNeeds {
  /** Libraries by the names under which they are looked for, sorted. */
  readonly libraries: readonly string[];
  /** The highest version of each family of symbols, such as `GLIBC` to `2.28`. */
  readonly symbolVersions: Readonly<Record<string, string>>;
}

/** What every host with glibc and a C++ runtime has, the smallest Debian and Red Hat among them. */
const onEveryHost =
  /^(ld-linux-x86-64|libc|libdl|libgcc_s|libm|libpthread|libresolv|librt|libstdc\+\+)\.so\.\d+$/;

/**
 * Reads what the ELF files among the entries need and the archive does not bring. Throws an
 * OperatorError where that is more than every host has.
 */
export async function readLoaderNeeds(entries: readonly ArchiveEntry[]): Promise<LoaderNeeds> {
  const binaries = entries.filter(({ bytes }) => bytes.subarray(0, 4).equals(ELF_MAGIC));
  const shipped = new Set(binaries.map(({ path }) => basename(path)));
  const read = await readElfFiles(binaries);
  const libraries = [...new Set(read.flatMap(({ needed }) => needed))].filter(
    (name) => !shipped.has(name),
  );
  const missing = read.flatMap(({ path, needed }) =>
    needed
      .filter((name) => !shipped.has(name) && !onEveryHost.test(name))
      .map((name) => `${path} needs ${name}, which not every host has`),
  );
  if (missing.length > 0) {
    throw new OperatorError('DATA', `${missing.join('; ')}; link it statically or ship it`);
  }
  return {
    libraries: libraries.sort(),
    symbolVersions: findHighest(read.flatMap(({ versions }) => versions)),
  };
}

const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');

interface ElfFile {
  readonly path: string;
  readonly needed: readonly string[];
  /** As `GLIBC_2.28`. */
  readonly versions: readonly string[];
}

async function readElfFiles(binaries: readonly ArchiveEntry[]): Promise<readonly ElfFile[]> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-infer-elf-'));
  try {
    const read: ElfFile[] = [];
    for (const [index, { path, bytes }] of binaries.entries()) {
      const file = join(folder, String(index));
      await writeFile(file, bytes);
      const text = await runTool('readelf', ['--wide', '--dynamic', '--version-info', file]);
      read.push({ path, ...parseReadelf(text) });
    }
    return read;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Reads what `readelf --wide --dynamic --version-info` prints. */
function parseReadelf(text: string): Omit<ElfFile, 'path'> {
  const [, needs = ''] = text.split(/^Version needs section/m);
  return {
    needed: [...text.matchAll(/\(NEEDED\)\s+Shared library: \[(.+)\]/g)].map(
      ([, name = '']) => name,
    ),
    versions: [...needs.matchAll(/Name: ([A-Z]+_[\d.]+)\s/g)].map(([, name = '']) => name),
  };
}

function findHighest(versions: readonly string[]): Readonly<Record<string, string>> {
  const highest = new Map<string, string>();
  for (const name of versions) {
    const [family = '', version = ''] = name.split('_');
    const known = highest.get(family);
    if (known === undefined || isHigher(version, known)) {
      highest.set(family, version);
    }
  }
  return Object.fromEntries([...highest].sort());
}

function isHigher(version: string, than: string): boolean {
  return version.localeCompare(than, 'en', { numeric: true }) > 0;
}
