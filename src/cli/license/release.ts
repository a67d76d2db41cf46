import type { KeyObject } from 'node:crypto';
import { rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { OperatorError } from '../../core/errors.ts';
import type { FoundLicense } from '../../licensing/judge-license.ts';
import { exportPublicKey } from '../../licensing/keys.ts';
import { writeRelease } from '../../licensing/release.ts';
import type { LicenseSources } from '../../licensing/sources.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { cannotWrite, replaceFile, syncFolder, writeNewFile } from '../write-file.ts';
import { findInstalled, findLicense } from './find-installed.ts';
import { openLocalLicenses } from './local-licenses.ts';

export interface ReleaseOptions {
  readonly out: string;
  readonly yes?: true;
}

/**
 * Gives a licence up for good. First this host remembers that, so that there is never a proof of
 * what did not happen; a release that was interrupted, or whose proof was lost, can be made again.
 */
export async function releaseLicense(
  name: string,
  { out, yes }: ReleaseOptions,
  command: Command,
): Promise<void> {
  const { config, sources, inspect } = await openLocalLicenses(command);
  const { dir } = config.license;
  const { licenses } = await inspect();
  const key = await sources.openHolderKey();
  if (!key.ok) {
    throw new OperatorError('OS', `the key of this host cannot be read: ${key.error}`);
  }
  const isGivenUp = (await sources.openRecords()).content.released.includes(name);
  if (isGivenUp && findLicense(licenses, name) === undefined) {
    await writeNewFile({ path: out, text: prove(name, key.value, sources) });
  } else {
    const found = findInstalled(licenses, name, dir);
    const licId = checkOwn(found, key.value);
    if (yes !== true) {
      throw new OperatorError(
        'USAGE',
        `licence ${licId} will never serve on this host again; say --yes if that is meant`,
      );
    }
    await giveUp(licId, { out, key: key.value }, sources);
    await putAside(join(dir, found.file), dir);
  }
  await writeOutput(
    `Licence ${printable(name)} is given up. Send ${printable(out)} to your vendor, with a request from the host that the new licence is for.\n`,
  );
}

/** The licence's id. Throws an OperatorError where this host cannot speak for it. */
function checkOwn({ file, license }: FoundLicense, key: KeyObject): string {
  if (!license.ok) {
    throw new OperatorError('DATA', `${file}: ${license.error.state}: ${license.error.detail}`);
  }
  const { lic_id: licId, holder } = license.value.claims;
  if (exportPublicKey(key) !== holder) {
    throw new OperatorError(
      'DATA',
      `${file}: the licence was requested with another key than this host has now, so its word would prove nothing. Tell your vendor that the old one is lost.`,
    );
  }
  return licId;
}

/** Takes the proof's place first: nothing is given up for a proof that cannot be written. */
async function giveUp(
  licId: string,
  { out, key }: { readonly out: string; readonly key: KeyObject },
  sources: LicenseSources,
): Promise<void> {
  await writeNewFile({ path: out, text: '' });
  try {
    await remember(licId, sources);
    await replaceFile({ path: out, text: prove(licId, key, sources) });
  } catch (error) {
    await rm(out, { force: true });
    throw error;
  }
}

async function remember(licId: string, { openRecords }: LicenseSources): Promise<void> {
  const records = await openRecords();
  records.add({ released: [licId] });
  await records.save();
  const written = await openRecords();
  if (!written.content.released.includes(licId)) {
    const reasons = records.problems.map(({ path, detail }) => `${path}: ${detail}`);
    throw new OperatorError('OS', `nothing was given up: ${reasons.join('; ')}`);
  }
}

function prove(licId: string, key: KeyObject, { clocks }: LicenseSources): string {
  return writeRelease({ licId, time: Math.floor(clocks.nowMs() / 1000) }, key);
}

async function putAside(path: string, folder: string): Promise<void> {
  try {
    await rename(path, `${path}.released`);
    await syncFolder(folder);
  } catch (error) {
    throw cannotWrite(path, error);
  }
}
