import { randomUUID } from 'node:crypto';
import { open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { err, ok, type Result } from '../core/result.ts';
import { type FileProblem, readBoundedFile } from './bounded-file.ts';
import { giveToOwnerOf, makeFolder } from './own-folder.ts';
import { MAX_RECORD_BYTES } from './record-content.ts';
import { lockRecords } from './record-lock.ts';

/** The file that holds the records, in either place. */
const RECORDS = 'license-records';

/** What a record holds, or why it cannot be read. */
export type RecordText = Result<string, FileProblem>;

interface Revision {
  readonly text: string;
  /** The present record is worth nothing; it is kept aside for people to look at. */
  readonly replacesDamage: boolean;
}

interface WriteProblem {
  readonly detail: string;
  /** False: the record is as it was. True: what lies there now may be damaged. */
  readonly wasTouched: boolean;
}

/** One of the places where the records lie. */
export interface RecordPlace {
  /** For messages. */
  readonly path: string;
  /** Nobody chose this place, so that it cannot be used is no news. */
  readonly isOptional?: boolean;
  read(): Promise<RecordText>;
  /**
   * Replaces the record by what `revise` makes of the present one; nobody else writes between the
   * two. The old record stays whole until the new one is on the disk, and the new one is read back.
   */
  revise(revise: (present: RecordText) => Revision): Promise<Result<true, WriteProblem>>;
}

/**
 * A file on the disk that is replaced as a whole, for its owner alone. Its folder is made when it
 * is first written.
 */
export function createRecordFile(
  folder: string,
  { name = RECORDS, isOptional = false, maxBytes = MAX_RECORD_BYTES } = {},
): RecordPlace {
  const path = join(folder, name);
  let isTidy = false;

  async function read(): Promise<RecordText> {
    const bytes = await readBoundedFile(path, maxBytes);
    return bytes.ok ? ok(bytes.value.toString()) : bytes;
  }

  return {
    path,
    isOptional,
    read,
    async revise(revise) {
      try {
        await makeFolder(folder, 0o700);
        await using _lock = await lockRecords(`${path}.lock`);
        if (!isTidy) {
          await removeTemporaries(folder, name);
          isTidy = true;
        }
        const { text, replacesDamage } = revise(await read());
        if (replacesDamage) {
          await rename(path, `${path}.damaged`);
        }
        await writeAtomically(folder, path, text);
        const written = await read();
        return written.ok && written.value === text
          ? ok(true)
          : err({ detail: 'what was written does not read back', wasTouched: true });
      } catch (error) {
        return err({ detail: describeWriteError(error), wasTouched: false });
      }
    },
  };
}

async function writeAtomically(folder: string, path: string, text: string): Promise<void> {
  const temporary = `${path}.${randomUUID()}.new`;
  try {
    await using file = await open(temporary, 'wx', 0o600);
    await giveToOwnerOf(folder, file);
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await using names = await open(folder, 'r');
  await names.sync();
}

/** What writers left that were killed. Called under the lock, so that nobody is writing. */
async function removeTemporaries(folder: string, name: string): Promise<void> {
  const names = await readdir(folder);
  const left = names.filter((each) => each.startsWith(`${name}.`) && each.endsWith('.new'));
  await Promise.all(left.map((each) => rm(join(folder, each))));
}

function describeWriteError(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT':
    case 'EFBIG':
      return `cannot be written, the disk is full (${code}); make room`;
    case 'EROFS':
      return `cannot be written, the disk is read-only (${code}); make it writable`;
    case 'EACCES':
    case 'EPERM':
      return `cannot be written by this user (${code}); make its folder this user's own`;
    default:
      return `cannot be written (${code ?? message})`;
  }
}
