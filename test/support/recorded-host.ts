import { readFileSync } from 'node:fs';
import { posix } from 'node:path';
import type { HostFacts } from '../../src/hardware/components.ts';
import { readHost } from '../../src/hardware/host-reader.ts';
import type { SystemFiles, TextReading } from '../../src/hardware/system-files.ts';

/** A text, a link, a file that may not be read, or nothing where another host has something. */
type Entry = string | { readonly link: string } | { readonly denied: true } | null;

export type Entries = Readonly<Record<string, Entry>>;

interface Recording {
  readonly description: string;
  /** Another recording that this one differs from in some files. */
  readonly like?: string;
  readonly isRoot?: boolean;
  /** What programs answer, by their command line; all others are missing. */
  readonly programs?: Readonly<Record<string, string>>;
  readonly files: Entries;
}

export interface Changes {
  readonly files?: Entries;
  readonly isRoot?: boolean;
  readonly programs?: Readonly<Record<string, string>>;
}

const MAXIMUM_LINKS = 40;

/** The facts of a host in test/fixtures/hosts, with changes. */
export function readRecordedHost(name: string, changes: Changes = {}): Promise<HostFacts> {
  const { files, programs = {}, isRoot = true } = merge(load(name), changes);
  return readHost({
    files: recordedFiles(files),
    run: async (program, programArguments) => programs[[program, ...programArguments].join(' ')],
    isRoot,
  });
}

export function load(name: string): Recording {
  const file = new URL(`../fixtures/hosts/${name}.json`, import.meta.url);
  const recording = JSON.parse(readFileSync(file, 'utf8')) as Recording;
  return recording.like === undefined ? recording : merge(load(recording.like), recording);
}

function merge<T extends Changes>(base: T, changes: Changes): T {
  return {
    ...base,
    ...changes,
    files: { ...base.files, ...changes.files },
    programs: { ...base.programs, ...changes.programs },
  };
}

/** Files that are not there, as a system would show them. */
export function recordedFiles(entries: Entries): SystemFiles {
  const there = Object.entries(entries).filter(([, entry]) => entry !== null);
  const byPath = new Map(there);
  const folders = new Map<string, Set<string>>();
  for (const [path] of there) {
    for (let below = path; below !== '/'; below = posix.dirname(below)) {
      const folder = posix.dirname(below);
      folders.set(folder, (folders.get(folder) ?? new Set()).add(posix.basename(below)));
    }
  }

  /** Follows links in every part of a path. */
  function realPath(path: string): string | undefined {
    let real = '/';
    const parts = path.split('/').filter((part) => part !== '');
    for (let links = 0; parts.length > 0; ) {
      const next = posix.resolve(real, parts.shift() as string);
      const entry = byPath.get(next);
      if (entry !== undefined && entry !== null && typeof entry === 'object' && 'link' in entry) {
        if (++links > MAXIMUM_LINKS) return undefined;
        parts.unshift(...entry.link.split('/').filter((part) => part !== ''));
        if (posix.isAbsolute(entry.link)) real = '/';
      } else if (entry === undefined && !folders.has(next)) {
        return undefined;
      } else {
        real = next;
      }
    }
    return real;
  }

  return {
    realPath,
    readText(path): TextReading {
      const real = realPath(path);
      const entry = real === undefined ? undefined : byPath.get(real);
      if (typeof entry === 'string') return { state: 'read', text: entry };
      return { state: entry === undefined ? 'missing' : 'denied' };
    },
    list: (path) => [...(folders.get(realPath(path) ?? '') ?? [])].sort(),
    readLink(path) {
      const folder = realPath(posix.dirname(path));
      const entry = folder && byPath.get(posix.join(folder, posix.basename(path)));
      return entry && typeof entry === 'object' && 'link' in entry ? entry.link : undefined;
    },
    ownership: () => ({ userId: 0, mode: 0o100644 }),
  };
}
