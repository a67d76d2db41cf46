import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { ok } from '../../core/result.ts';
import { writeOutput } from '../output.ts';
import { cannotWrite, syncFolder, writeNewFile } from '../write-file.ts';
import { readBuild } from './build-file.ts';
import { signLicense } from './hand-out.ts';
import { collectIssued, type IssuedLicense, statusOf } from './issued.ts';
import { optionSchemas } from './options.ts';
import { allOrThrow, type Checked, checkOptions, refuse } from './problems.ts';
import { appendToRegister, readRegister } from './register-file.ts';
import { checkFitness, type LockedKey, readKeyFile, unlockKey } from './signing-key.ts';

const { key, passphraseFile, register, build } = optionSchemas;

const resignOptions = z.object({
  ...{ key, passphraseFile, register, build },
  outDir: optionSchemas.key,
});

/**
 * Writes every live licence that a key signed once more under another key, before a release drops
 * the first. All of them or none. Throws an OperatorError.
 */
export async function runResign(
  oldKid: string,
  given: Readonly<Record<string, unknown>>,
): Promise<void> {
  const options = checkOptions(resignOptions, given, 'vendor resign');
  const { outDir } = options;
  const read = allOrThrow({
    build: await readBuild(options.build),
    key: await readKeyFile(options.key),
    register: await readRegister(options.register),
    free: await checkNoFolder(outDir),
  });
  const { issued } = allOrThrow({ issued: collectIssued(read.register) });
  const now = new Date();
  const nowS = Math.floor(now.getTime() / 1000);
  const { licenses } = allOrThrow({
    licenses: findSignedBy(oldKid, [...issued.values()], nowS),
    fitness: checkNext(read.key, oldKid, read.build),
  });
  const signingKey = await unlockKey(read.key, { file: options.passphraseFile });
  const files = licenses.map(({ claims }) => ({
    claims,
    file: signLicense(claims, signingKey, read.build),
  }));
  const part = `${outDir}.${process.pid}.part`;
  try {
    await mkdir(part, { recursive: true });
    for (const { claims, file } of files) {
      await writeNewFile({ path: join(part, `${claims.lic_id}.lic`), text: file });
    }
    const entries = files.map(({ claims, file }) => ({
      ...{ at: now.toISOString(), event: 'resigned' as const, lic_id: claims.lic_id, file },
    }));
    await appendToRegister(options.register, entries);
    await rename(part, outDir).catch((error: unknown) => {
      throw cannotWrite(`--out-dir ${outDir}`, error);
    });
    await syncFolder(dirname(outDir));
  } finally {
    await rm(part, { recursive: true, force: true });
  }
  const lines = files.map(({ claims }) => `${claims.lic_id}.lic  ${claims.customer}\n`);
  await writeOutput(`${lines.join('')}licences: ${files.length}, in ${outDir}\n`);
}

async function checkNoFolder(path: string): Promise<Checked<undefined>> {
  const names = await readdir(path).catch(({ code }: NodeJS.ErrnoException) =>
    code === 'ENOENT' ? undefined : ['a file'],
  );
  return names === undefined || names.length === 0
    ? ok(undefined)
    : refuse('DATA', `--out-dir ${path}: expected an empty folder or none, found more`);
}

function findSignedBy(
  kid: string,
  issued: readonly IssuedLicense[],
  nowS: number,
): Checked<readonly IssuedLicense[]> {
  const licenses = issued.filter(
    (license) => license.kid === kid && statusOf(license, nowS) === 'live',
  );
  return licenses.length === 0
    ? refuse('DATA', `no live licence in the register is signed with ${kid}`)
    : ok(licenses);
}

function checkNext(
  next: LockedKey,
  oldKid: string,
  build: Parameters<typeof checkFitness>[2],
): Checked<undefined> {
  if (next.file.kid === oldKid) {
    return refuse('DATA', `--key ${next.path}: expected another key than ${oldKid}, found it`);
  }
  return checkFitness(next, oldKid.startsWith('trial-') ? 'trial' : 'permanent', build);
}
