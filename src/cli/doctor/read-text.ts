import { readFile } from 'node:fs/promises';

/** A file's text; undefined where it is not there, or not for this user. */
export async function readText(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch {
    return undefined;
  }
}
