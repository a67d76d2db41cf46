import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * What a look at a model's folder tells, without reading files: another text once any of them is
 * written to, replaced, added or removed. A change that leaves the content as it was may count too.
 */
export async function stampModelFolder(folder: string): Promise<string> {
  try {
    const names = await readdir(folder, { recursive: true });
    const stamps = await Promise.all(
      names.sort().map(async (name) => {
        const { ino, size, ctimeNs } = await stat(join(folder, name), { bigint: true });
        return `${name} ${ino} ${size} ${ctimeNs}`;
      }),
    );
    return stamps.join('\n');
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code); // the loading says more
  }
}
