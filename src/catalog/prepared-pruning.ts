import { readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Its time of change says when a form was last asked for. */
const USED_FILE = 'last-used';

/** A model's new version or a new runtime leaves forms behind that nobody asks for any more. */
const KEEP_UNUSED_MS = 7 * 24 * 3600 * 1000;
/** What a killed process left half made; no preparation takes as long. */
const KEEP_UNFINISHED_MS = 3600 * 1000;

/** Notes that a form is in use; on a disk that cannot be written to it does nothing. */
export async function markUsed(folder: string): Promise<void> {
  // Rewriting even nothing changes the file's time.
  await writeFile(join(folder, USED_FILE), '').catch(() => undefined);
}

/**
 * Removes the forms under `root` that have not been asked for in a week before `newest` was, and
 * what crashed preparations left. Whoever has a removed form mapped keeps it until it unmaps it.
 */
export async function pruneForms(root: string, newest: string): Promise<void> {
  try {
    const now = (await stat(join(newest, USED_FILE))).mtimeMs; // the disk's clock judges itself
    const names = await readdir(root);
    for (const folder of names.map((name) => join(root, name))) {
      const isUnfinished = /\.(new|old)$/.test(folder);
      const age = now - (await lastUseMs(folder));
      if (age > (isUnfinished ? KEEP_UNFINISHED_MS : KEEP_UNUSED_MS)) {
        await rm(folder, { recursive: true, force: true });
      }
    }
  } catch {
    // Another process may prune at the same time; what stays behind goes with the next new form.
  }
}

/** A form without a mark counts from when it was made. */
async function lastUseMs(folder: string): Promise<number> {
  const mark = await stat(join(folder, USED_FILE)).catch(() => stat(folder));
  return mark.mtimeMs;
}
