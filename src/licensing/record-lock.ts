import { type FileHandle, open, readFile, rm, stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { describeOwnProcess, hasEnded } from '../platform/process-identity.ts';

/** A writer takes some milliseconds; a lock that stays the same for so long is nobody's. */
const PATIENCE_MS = 2000;
/** However busy others are: whoever waits goes on without writing. */
const DEADLINE_MS = 10_000;
const RETRY_MS = 10;

/**
 * Holds a file that says that somebody writes. One that a killed writer left is removed: at once
 * where its process is known to have ended, else after a while. Its age is found by watching it,
 * not asked of the clock, which may be any time here.
 */
export async function lockRecords(path: string): Promise<AsyncDisposable> {
  const startedMs = performance.now();
  for (let seen: string | undefined, seenMs = startedMs; ; ) {
    if (await tryLock(path)) {
      return { [Symbol.asyncDispose]: () => rm(path, { force: true }) };
    }
    const nowMs = performance.now();
    const found = await identify(path);
    if (found.identity !== seen) {
      seen = found.identity;
      seenMs = nowMs;
    }
    if (found.hasEnded || nowMs - seenMs > PATIENCE_MS) {
      await rm(path, { force: true });
    } else if (nowMs - startedMs > DEADLINE_MS) {
      throw new Error(`other processes hold ${path}`);
    } else {
      await delay(RETRY_MS);
    }
  }
}

async function tryLock(path: string): Promise<boolean> {
  let file: FileHandle;
  try {
    file = await open(path, 'wx', 0o600);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
  try {
    await file.writeFile(describeOwnProcess());
    return true;
  } catch (error) {
    await rm(path, { force: true }); // a full disk had room for its name alone
    throw error;
  } finally {
    await file.close();
  }
}

interface Found {
  readonly identity: string | undefined;
  readonly hasEnded: boolean;
}

async function identify(path: string): Promise<Found> {
  try {
    const [{ ino, ctimeNs }, holder] = await Promise.all([
      stat(path, { bigint: true }),
      readFile(path, 'utf8'),
    ]);
    return { identity: `${ino} ${ctimeNs}`, hasEnded: hasEnded(holder) };
  } catch {
    return { identity: undefined, hasEnded: false }; // gone by now, or soon
  }
}
