import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { ok } from '../../core/result.ts';
import { licenseId, printableText } from '../../licensing/claims.ts';
import { REVOCATION_FILE } from '../../licensing/license-folder.ts';
import {
  type RevocationList,
  readRevocationList,
  writeRevocationList,
} from '../../licensing/revocations.ts';
import { writeOutput } from '../output.ts';
import { replaceFile } from '../write-file.ts';
import { readBuild } from './build-file.ts';
import { collectIssued, findIssued } from './issued.ts';
import { optionSchemas } from './options.ts';
import { allOrThrow, type Checked, checkOptions, refuse } from './problems.ts';
import type { RegisterEntry } from './register-entry.ts';
import { appendToRegister, readRegister } from './register-file.ts';
import { checkFitness, readKeyFile, unlockKey } from './signing-key.ts';

const { key, passphraseFile, register, build, out } = optionSchemas;

const revokeOptions = z.object({
  ...{ key, passphraseFile, register, build, out },
  reason: printableText.optional(),
  unregistered: z.literal(true).optional(),
});

/** Writes the list of withdrawn licences again, with these as well. Throws an OperatorError. */
export async function runRevoke(
  named: readonly string[],
  given: Readonly<Record<string, unknown>>,
): Promise<void> {
  const options = checkOptions(revokeOptions, given, 'vendor revoke');
  const { unregistered = false } = options;
  const path = options.out ?? join(dirname(resolve(options.build)), REVOCATION_FILE);
  const read = allOrThrow({
    build: await readBuild(options.build),
    key: await readKeyFile(options.key),
    register: await readRegister(options.register, { mayBeMissing: unregistered }),
    forms: checkForms(named),
  });
  const { issued } = allOrThrow({ issued: collectIssued(read.register) });
  const { present } = allOrThrow({
    fitness: checkFitness(read.key, 'permanent', read.build),
    present: await readPresent(path, read.build),
    ...(unregistered
      ? {}
      : Object.fromEntries(named.map((licId) => [licId, findIssued(issued, licId)]))),
  });
  const signingKey = await unlockKey(read.key, { file: options.passphraseFile });
  const now = new Date();
  const entries = named.map((licId): RegisterEntry & { event: 'revoked' } => ({
    at: now.toISOString(),
    event: 'revoked',
    lic_id: licId,
    ...(options.reason === undefined ? {} : { reason: options.reason }),
  }));
  const list = merge(present, [...read.register.entries, ...entries], now);
  const text = writeRevocationList(list, signingKey);
  // Recorded first: a list that could not be written is written by the same command again.
  await appendToRegister(options.register, entries);
  await replaceFile({ path, text });
  await writeOutput(
    `withdrawn licences: ${list.revoked.length}\nlist ${path}, signed with ${signingKey.kid}\n`,
  );
}

function checkForms(named: readonly string[]): Checked<undefined> {
  const wrong = named.filter((licId) => !licenseId.safeParse(licId).success);
  const texts = wrong.map(
    (licId) => `expected the id of a licence, found ${JSON.stringify(licId)}`,
  );
  return texts.length === 0 ? ok(undefined) : refuse('USAGE', ...texts);
}

async function readPresent(
  path: string,
  build: Parameters<typeof readRevocationList>[1],
): Promise<Checked<RevocationList>> {
  const list = await readRevocationList(path, build);
  return list.ok
    ? list
    : refuse(
        'DATA',
        `${list.error}; take it away to have the list written from the register alone`,
      );
}

/** What the list held and what the register knows to be withdrawn, each once. */
function merge(
  present: RevocationList,
  entries: readonly RegisterEntry[],
  now: Date,
): RevocationList {
  const revoked = new Map(present.revoked.map((one) => [one.lic_id, one]));
  for (const entry of entries) {
    if (entry.event === 'revoked') {
      const { lic_id: licId, reason } = entry;
      revoked.set(licId, reason === undefined ? { lic_id: licId } : { lic_id: licId, reason });
    }
  }
  return { issued: Math.floor(now.getTime() / 1000), revoked: [...revoked.values()] };
}
