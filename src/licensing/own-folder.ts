import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it that are missing. A command run once as root must not leave
 * what the service cannot use: they belong to the owner of the folder that was there before.
 */
export async function makeFolder(folder: string, mode: number): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode });
  if (first === undefined) return;
  const top = dirname(resolve(first));
  for (let made = resolve(folder); made !== top; made = dirname(made)) {
    await using opened = await open(made, constants.O_DIRECTORY | constants.O_NOFOLLOW);
    await giveToOwnerOf(top, opened);
  }
}

/** Root's file or folder becomes that of the folder's owner; what others own stays theirs. */
export async function giveToOwnerOf(folder: string, made: FileHandle): Promise<void> {
  const { uid, gid } = await stat(folder);
  const { uid: own } = await made.stat();
  if (own === 0 && uid !== 0) {
    await made.chown(uid, gid);
  }
}
