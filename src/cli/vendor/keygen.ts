import { realpath } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { z } from 'zod';
import { ok } from '../../core/result.ts';
import { readPackageInfo } from '../../platform/package-info.ts';
import { writeOutput } from '../output.ts';
import { replaceFile, writeNewFile } from '../write-file.ts';
import { addKeyTo } from './build-file.ts';
import { checkFree } from './hand-out.ts';
import { encryptKey, generateKey, type KeyEntry, keyKinds } from './key-file.ts';
import { optionSchemas } from './options.ts';
import { readNewPassphrase } from './passphrase.ts';
import { makePrivateFolderOf, vendorFolder } from './places.ts';
import { allOrThrow, type Checked, checkOptions, refuse } from './problems.ts';
import { describeReleaseKey } from './release-key.ts';

const keygenOptions = z.object({
  kind: z.enum(keyKinds),
  out: optionSchemas.out,
  addTo: optionSchemas.out,
  passphraseFile: optionSchemas.passphraseFile,
});

const OWNER_ONLY = 0o600;

/** Makes a signing key, encrypted under a passphrase. Throws an OperatorError. */
export async function runKeygen(given: Readonly<Record<string, unknown>>): Promise<void> {
  const { kind, out, addTo, passphraseFile } = checkOptions(keygenOptions, given, 'vendor keygen');
  const key = generateKey(kind);
  const { kid } = key.entry;
  const path = out ?? join(vendorFolder(), `${kid}.key`);
  const { buildText } = allOrThrow({
    place: await checkOutside(path),
    free: await checkFree(path),
    buildText: addTo === undefined ? ok(undefined) : await addKeyTo(addTo, key.entry),
  });
  const file = await encryptKey(key, await readNewPassphrase({ file: passphraseFile }));
  if (out === undefined) {
    await makePrivateFolderOf(path);
  }
  await writeNewFile({ path, text: `${JSON.stringify(file, undefined, 2)}\n`, mode: OWNER_ONLY });
  await writeOutput(`key ${kid}\nfile ${path}\n\n${describeUse(key.entry)}\n`);
  if (addTo !== undefined && buildText !== undefined) {
    await replaceFile({ path: addTo, text: buildText });
    await writeOutput(`\nAdded to ${addTo}. Releases made from it accept what this key signs.\n`);
  }
}

/** What is to be done with the public half. */
function describeUse(entry: KeyEntry): string {
  return entry.kind === 'release'
    ? `Tell customers, on a way of its own, the SHA-256 of the release-key.pub that archives will hold:\n${describeReleaseKey(entry.publicKey).fingerprint}`
    : `Its entry in "keys" of license/build.json:\n${JSON.stringify(entry)}`;
}

/** The project's folder is shipped to customers and kept in version control. */
async function checkOutside(path: string): Promise<Checked<undefined>> {
  const root = await realpath(readPackageInfo().root);
  const folder = await realpath(dirname(path)).catch(() => dirname(path));
  const isInside = !relative(root, folder).startsWith('..');
  return isInside
    ? refuse('DATA', `--out ${path}: expected a place outside of ${root}, which is shipped`)
    : ok(undefined);
}
