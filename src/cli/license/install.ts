import { basename, join } from 'node:path';
import type { Command } from 'commander';
import { OperatorError } from '../../core/errors.ts';
import { findLabel, maxDocumentBytes } from '../../licensing/armour.ts';
import { readBoundedFile } from '../../licensing/bounded-file.ts';
import type { InspectedDecision } from '../../licensing/inspection.ts';
import { LICENSE_EXTENSION, REVOCATION_FILE } from '../../licensing/license-folder.ts';
import { makeFolder } from '../../licensing/own-folder.ts';
import { findRemedy } from '../../licensing/remedies.ts';
import { readRevocationList, verifyRevocationList } from '../../licensing/revocations.ts';
import { isServed, type LicenseVerdict } from '../../licensing/verdict.ts';
import { verifyLicense } from '../../licensing/verify-license.ts';
import { count } from '../count.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { cannotWrite, replaceFile } from '../write-file.ts';
import { type LocalLicenses, openLocalLicenses } from './local-licenses.ts';

/** The server may run as a user of its own, and there is no secret in a licence. */
const FILE_MODE = 0o644;
const FOLDER_MODE = 0o755;

/**
 * Puts a licence, or a list of withdrawn ones, among the others. Throws an OperatorError, with
 * nothing changed, where a licence would serve none of the configured services.
 */
export async function installLicense(path: string, command: Command): Promise<void> {
  const local = await openLocalLicenses(command);
  const bytes = await readDocument(path);
  await (findLabel(bytes) === 'REVOCATION LIST'
    ? installRevocations(path, bytes, local)
    : installVerified(path, bytes, local));
}

/** Read once: what is checked is what is put in place, whatever becomes of the file meanwhile. */
async function readDocument(path: string): Promise<Buffer> {
  const maxBytes = maxDocumentBytes['REVOCATION LIST'];
  const file = await readBoundedFile(path, maxBytes, { followsLinks: true });
  if (file.ok) {
    return file.value;
  }
  const { isMissing, isUnread, detail } = file.error;
  const remedy = isUnread
    ? 'See to what the reason says, then install it again.'
    : findRemedy('MALFORMED');
  throw isMissing
    ? new OperatorError(
        'NO_INPUT',
        `${path}: NOT_FOUND: ${detail}. Name the file that your vendor sent.`,
      )
    : new OperatorError('DATA', `${path}: MALFORMED: ${detail}. ${remedy}`);
}

/** Names the file by the licence's id. */
async function installVerified(
  path: string,
  bytes: Buffer,
  { config, sources, inspect }: LocalLicenses,
): Promise<void> {
  const license = verifyLicense(bytes, sources.build);
  if (!license.ok) {
    const { state, detail } = license.error;
    throw new OperatorError('DATA', `${path}: ${state}: ${detail}. ${findRemedy(state)}`);
  }
  const file = `${license.value.claims.lic_id}${LICENSE_EXTENSION}`;
  const verdicts = (await inspect()).judge({ file, license });
  const best = verdicts.find(isServed);
  if (best === undefined) {
    throw new OperatorError('DATA', describeRefusal(path, verdicts));
  }
  await putFile(config.license.dir, file, bytes);
  await writeOutput(await describeInstalled(join(config.license.dir, file), best, inspect));
}

/** Unless a later one lies there. */
async function installRevocations(
  path: string,
  bytes: Buffer,
  { config, sources, inspect }: LocalLicenses,
): Promise<void> {
  const { dir } = config.license;
  const list = verifyRevocationList(bytes, sources.build);
  if (!list.ok) {
    throw new OperatorError('DATA', `${path}: ${list.error.detail}. ${findRemedy('MALFORMED')}`);
  }
  const present = await readRevocationList(join(dir, REVOCATION_FILE), sources.build);
  if (present.ok && present.value.issued > list.value.issued) {
    throw new OperatorError(
      'DATA',
      `${path} is older than the list that is in place; nothing was changed`,
    );
  }
  await putFile(dir, REVOCATION_FILE, bytes);
  const { decisions } = await inspect();
  await writeOutput(
    [
      `Installed as ${printable(join(dir, REVOCATION_FILE))}: ${count(list.value.revoked.length, 'withdrawn licence')}.\n`,
      ...decisions.map((decision) => `${describeState(decision)}\n`),
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
  const services = decisions.map((decision) => {
    const serves = [decision, decision.onCpu].some((each) => each?.file === basename(path));
    return `${describeState(decision)}${serves ? ', by this licence' : ''}\n`;
  });
  return [
    `Installed as ${printable(path)}: ${state}, ${printable(detail)}.\n`,
    ...services,
    'A running server takes it up within two seconds.\n',
  ].join('');
}

function describeState({ deployName, state, onCpu }: InspectedDecision): string {
  const known = `${printable(deployName)}: ${state}`;
  return onCpu === undefined ? known : `${known} on the graphics card, ${onCpu.state} on the CPU`;
}
