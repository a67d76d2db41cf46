import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { cannotWrite, syncFolder } from '../write-file.ts';
import { findInstalled } from './find-installed.ts';
import { openLocalLicenses } from './local-licenses.ts';

/** Renames a licence's file, so that it no longer counts. Throws an OperatorError where it is not there. */
export async function removeLicense(name: string, command: Command): Promise<void> {
  const { config, inspect } = await openLocalLicenses(command);
  const { dir } = config.license;
  const { file } = findInstalled((await inspect()).licenses, name, dir);
  const path = join(dir, file);
  const keptAs = `${path}.removed`;
  try {
    await rename(path, keptAs);
    await syncFolder(dir);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  const { decisions } = await inspect();
  const states = decisions.map(
    ({ deployName, state, detail }) => `${printable(deployName)}: ${state}, ${printable(detail)}\n`,
  );
  await writeOutput(`Out of use; the file is kept as ${printable(keptAs)}.\n${states.join('')}`);
}
