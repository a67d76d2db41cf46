import { writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { makeFolder } from './run-cli.ts';

/** Puts shell scripts in the place of programs of the system; returns the PATH that finds them first. */
export async function writePrograms(scripts: Readonly<Record<string, string>>): Promise<string> {
  const folder = await makeFolder();
  for (const [name, script] of Object.entries(scripts)) {
    await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
  }
  return `${folder}${delimiter}${process.env.PATH}`;
}
