import { readProcFile } from './proc-file.ts';

/** Memory that is no file's, though it has a path: counted by `Pss_Shmem`. */
const SHARED_MEMORY = /^\/(dev\/shm|dev\/zero|memfd:|SYSV)/;
/** Header of a mapping in smaps: addresses, permissions, offset, device, inode, path (proc(5)). */
const MAPPING = /^[\da-f]+-[\da-f]+ \S+ ([\da-f]+) (\S+) (\d+) +(.*)$/;

/**
 * Resident bytes of a server's processes. Pages that several of them share count once, and pages of
 * files count in full even if other programs map them too: `Pss` would credit a server with the
 * libraries that the servers beside it happen to load.
 */
export function readResidentBytes(pids: readonly number[]): number {
  const largestByFile = new Map<string, number>();
  let ownKib = 0;
  for (const pid of pids) {
    const rollup = readProcFile(`/proc/${pid}/smaps_rollup`);
    ownKib += readKib(rollup, 'Pss_Anon') + readKib(rollup, 'Pss_Shmem');
    for (const [part, kib] of readFileParts(readProcFile(`/proc/${pid}/smaps`))) {
      largestByFile.set(part, Math.max(kib, largestByFile.get(part) ?? 0));
    }
  }
  return [...largestByFile.values()].reduce((sum, kib) => sum + kib, ownKib) * 1024;
}

/** Resident KiB of each mapped part of a file, without the pages that were written to. */
function readFileParts(smaps: string): Map<string, number> {
  const parts = new Map<string, number>();
  for (const block of smaps.split(/\n(?=[\da-f]+-)/)) {
    const [, offset, device, inode, path = ''] = MAPPING.exec(block.split('\n', 1)[0] ?? '') ?? [];
    if (inode !== undefined && inode !== '0' && !SHARED_MEMORY.test(path)) {
      const key = `${device} ${inode} ${offset}`;
      const kib = readKib(block, 'Rss') - readKib(block, 'Anonymous');
      parts.set(key, (parts.get(key) ?? 0) + kib);
    }
  }
  return parts;
}

function readKib(text: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1] ?? 0);
}
