import { readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { OperatorError } from '../../core/errors.ts';
import { findLabel, maxDocumentBytes } from '../../licensing/armour.ts';
import { readBoundedFile } from '../../licensing/bounded-file.ts';
import { LICENSE_EXTENSION, REVOCATION_FILE } from '../../licensing/license-folder.ts';
import { makeFolder } from '../../licensing/own-folder.ts';
import { readLicenseFile } from '../../licensing/read-license-file.ts';
import { findRemedy } from '../../licensing/remedies.ts';
import { readRevocationList } from '../../licensing/revocations.ts';
import { isServed, type LicenseVerdict } from '../../licensing/verdict.ts';
import { count } from '../count.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { cannotWrite, replaceFile } from '../write-file.ts';
import { type LocalLicenses, openLocalLicenses } from './local-licenses.ts';

/** The server may run as a user of its own, and there is no secret in a licence. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

/**
 * Puts a licence among the others, under its id. Throws an OperatorError, with nothing changed,
 * where it would serve none of the configured services.
 */
export async function installLicense(path: string, command: Command): Promise<void> {
  const local = await openLocalLicenses(command);
  const { config, sources, inspect } = local;
  const license = await readLicenseFile(path, sources.build);
  if (!license.ok && (await isRevocationList(path))) {
    await installRevocations(path, local);
    return;
  }
  if (!license.ok) {
    const { state, detail } = license.error;
    throw new OperatorError(
      state === 'NOT_FOUND' ? 'NO_INPUT' : 'DATA',
      `${path}: ${state}: ${detail}. ${state === 'NOT_FOUND' ? 'Name the file that your vendor sent.' : findRemedy(state)}`,
    );
  }
  const file = `${license.value.claims.lic_id}${LICENSE_EXTENSION}`;
  const verdicts = (await inspect()).judge({ file, license });
  const best = verdicts.find(isServed);
  if (best === undefined) {
    throw new OperatorError('DATA', describeRefusal(path, verdicts));
  }
  await putFile(config.license.dir, file, await readFile(path));
  await writeOutput(await describeInstalled(join(config.license.dir, file), best, inspect));
}

async function isRevocationList(path: string): Promise<boolean> {
  const file = await readBoundedFile(path, maxDocumentBytes['REVOCATION LIST'], {
    followsLinks: true,
  });
  return file.ok && findLabel(file.value) === 'REVOCATION LIST';
}

/** Puts the vendor's list of withdrawn licences among the licences, unless a later one lies there. */
async function installRevocations(path: string, { config, sources, inspect }: LocalLicenses) {
  const { dir } = config.license;
  const list = await readRevocationList(path, sources.build);
  if (!list.ok) {
    throw new OperatorError('DATA', `${list.error}. ${findRemedy('MALFORMED')}`);
  }
  const present = await readRevocationList(join(dir, REVOCATION_FILE), sources.build);
  if (present.ok && present.value.issued > list.value.issued) {
    throw new OperatorError(
      'DATA',
      `${path} is older than the list that is in place; nothing was changed`,
    );
  }
  await putFile(dir, REVOCATION_FILE, await readFile(path));
  const { decisions } = await inspect();
  await writeOutput(
    [
      `Installed as ${printable(join(dir, REVOCATION_FILE))}: ${count(list.value.revoked.length, 'withdrawn licence')}.\n`,
      ...decisions.map(({ deployName, state }) => `${printable(deployName)}: ${state}\n`),
    ].join(''),
  );
}

/** Each reason once: for several services it is often the same. */
function describeRefusal(path: string, verdicts: readonly LicenseVerdict[]): string {
  const reasons = new Map(
    verdicts.map((verdict) => [`${verdict.state}: ${verdict.detail}`, verdict]),
  );
  const lines = [...reasons].map(
    ([reason, verdict]) => `${reason}. ${findRemedy(verdict.state, verdict.isUnread)}`,
  );
  return [`${path} is not installed, nothing was changed:`, ...lines].join('\n');
}

async function putFile(folder: string, name: string, bytes: Buffer): Promise<void> {
  try {
    await makeFolder(folder, FOLDER_MODE);
  } catch (error) {
    throw cannotWrite(folder, error);
  }
  await replaceFile({ path: join(folder, name), text: bytes.toString(), mode: FILE_MODE });
}

async function describeInstalled(
  path: string,
  { state, detail }: LicenseVerdict,
  inspect: LocalLicenses['inspect'],
): Promise<string> {
  const { decisions } = await inspect();
  const services = decisions.map(
    ({ deployName, state: now, file }) =>
      `${printable(deployName)}: ${now}${file === basename(path) ? ', by this licence' : ''}\n`,
  );
  return [
    `Installed as ${printable(path)}: ${state}, ${printable(detail)}.\n`,
    ...services,
    'A running server takes it up within two seconds.\n',
  ].join('');
}
