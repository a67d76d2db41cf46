import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { OperatorError } from '../../core/errors.ts';
import { exportPublicKey } from '../../licensing/keys.ts';
import { writeRelease } from '../../licensing/release.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { cannotWrite, syncFolder, writeNewFile } from '../write-file.ts';
import { findInstalled } from './find-installed.ts';
import { openLocalLicenses } from './local-licenses.ts';

export interface ReleaseOptions {
  readonly out: string;
  readonly yes?: true;
}

/**
 * Gives a licence up for good. First this host remembers that, so that there is never a proof of
 * what did not happen; a release that was interrupted can be made again.
 */
export async function releaseLicense(
  name: string,
  { out, yes }: ReleaseOptions,
  command: Command,
): Promise<void> {
  const { config, sources, inspect } = await openLocalLicenses(command);
  const { dir } = config.license;
  const { file, license } = findInstalled((await inspect()).licenses, name, dir);
  if (!license.ok) {
    throw new OperatorError('DATA', `${file}: ${license.error.state}: ${license.error.detail}`);
  }
  const { lic_id: licId, holder } = license.value.claims;
  const key = await sources.openHolderKey();
  if (!key.ok) {
    throw new OperatorError('OS', `the key of this host cannot be read: ${key.error}`);
  }
  if (exportPublicKey(key.value) !== holder) {
    throw new OperatorError(
      'DATA',
      `${file}: the licence was requested with another key than this host has now, so its word would prove nothing. Tell your vendor that the old one is lost.`,
    );
  }
  if (yes !== true) {
    throw new OperatorError(
      'USAGE',
      `licence ${licId} will never serve on this host again; say --yes if that is meant`,
    );
  }
  await remember(licId, sources);
  const time = Math.floor(sources.clocks.nowMs() / 1000);
  await writeNewFile({ path: out, text: writeRelease({ licId, time }, key.value) });
  const path = join(dir, file);
  try {
    await rename(path, `${path}.released`);
    await syncFolder(dir);
  } catch (error) {
    throw cannotWrite(path, error);
  }
  await writeOutput(
    `Licence ${licId} is given up. Send ${printable(out)} to your vendor, with a request from the host that the new licence is for.\n`,
  );
}

type Sources = Awaited<ReturnType<typeof openLocalLicenses>>['sources'];

async function remember(licId: string, { openRecords }: Sources): Promise<void> {
  const records = await openRecords();
  records.add({ released: [licId] });
  await records.save();
  const written = await openRecords();
  if (!written.content.released.includes(licId)) {
    const reasons = records.problems.map(({ path, detail }) => `${path}: ${detail}`);
    throw new OperatorError('OS', `nothing was given up: ${reasons.join('; ')}`);
  }
}
