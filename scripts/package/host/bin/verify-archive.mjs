/**
 * Says whether an unpacked archive of edge-infer is what its maker signed: the signature, the hash
 * of every file, and that nothing else lies there.
 *
 *     runtime/node bin/verify-archive.mjs FOLDER (--key FILE | --allow-unsigned)
 *
 * Exits with 0, with 65 where something is wrong (each problem with a remedy on a line of standard
 * error), or with 64 where it was called wrongly. Needs Node and nothing else, so that an installed
 * release can judge its successor.
 */
import { createHash, createPublicKey, verify } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { parseArgs } from 'node:util';

export const MANIFEST_FILE = 'MANIFEST.json';
export const SIGNATURE_FILE = 'MANIFEST.sig';
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
const SIGNATURE_BYTES = 64;
const EXIT_USAGE = 64;
const EXIT_DATA = 65;

const COPY_AGAIN = 'copy the archive again and compare its sha256 with the one you were given';
const UNPACK_AGAIN = 'unpack the archive into a new, empty folder';

/**
 * The bytes that the signature is made over. The prefix keeps a signature from counting for
 * anything else that is ever signed.
 *
 * @param {Buffer} manifest the bytes of MANIFEST.json
 */
export function signedBytes(manifest) {
  return Buffer.concat([Buffer.from('edge-infer release manifest v1\n'), manifest]);
}

/**
 * @typedef {object} Problem
 * @property {string} path under the folder
 * @property {string} problem what was expected and what was found
 * @property {string} remedy
 */

/**
 * Checks an unpacked archive.
 *
 * @param {string} folder
 * @param {{ publicKey?: string }} trusted the key's PEM; without one the signature is not looked at
 * @returns {Promise<{ problems: Problem[], manifest?: object }>}
 */
export async function verifyArchive(folder, { publicKey }) {
  const bytes = await readBounded(join(folder, MANIFEST_FILE), MAX_MANIFEST_BYTES);
  if (bytes === undefined) {
    const problem = 'expected the list of all files, found none that can be read';
    return { problems: [{ path: MANIFEST_FILE, problem, remedy: UNPACK_AGAIN }] };
  }
  const problems = publicKey === undefined ? [] : await checkSignature(folder, bytes, publicKey);
  const manifest = parseManifest(bytes);
  if (manifest === undefined) {
    const problem = 'expected the JSON of a manifest of edge-infer, found something else';
    return { problems: [...problems, { path: MANIFEST_FILE, problem, remedy: COPY_AGAIN }] };
  }
  for (const file of manifest.files) {
    problems.push(...(await checkFile(folder, file)));
  }
  problems.push(...(await findStrangers(folder, manifest)));
  return { problems, manifest };
}

async function checkSignature(folder, manifest, publicKey) {
  const signature = await readBounded(join(folder, SIGNATURE_FILE), SIGNATURE_BYTES);
  if (signature === undefined || signature.length !== SIGNATURE_BYTES) {
    const problem = `expected a signature of ${SIGNATURE_BYTES} bytes, found none`;
    const remedy = 'get a signed archive; an unsigned one is for tests only';
    return [{ path: SIGNATURE_FILE, problem, remedy }];
  }
  if (!verify(null, signedBytes(manifest), createPublicKey(publicKey), signature)) {
    const problem = 'the signature is not the trusted key’s, or the manifest was changed';
    return [{ path: SIGNATURE_FILE, problem, remedy: `do not install it; ${COPY_AGAIN}` }];
  }
  return [];
}

function parseManifest(bytes) {
  try {
    const manifest = JSON.parse(bytes.toString());
    const isWhole =
      manifest.format === 1 &&
      manifest.product === 'edge-infer' &&
      manifest.files.every(
        ({ path, size, mode, sha256 }) =>
          isInside(path) &&
          Number.isSafeInteger(size) &&
          /^(644|755)$/.test(mode) &&
          /^[0-9a-f]{64}$/.test(sha256),
      );
    return isWhole ? manifest : undefined;
  } catch {
    return undefined; // neither JSON nor a manifest
  }
}

function isInside(path) {
  return (
    typeof path === 'string' &&
    path !== '' &&
    path !== '.' &&
    !path.startsWith('/') &&
    posix.normalize(path) === path &&
    !path.startsWith('..')
  );
}

async function checkFile(folder, { path, size, mode, sha256 }) {
  const file = join(folder, path);
  const found = await lstat(file).catch(() => undefined);
  if (found === undefined) {
    return [{ path, problem: 'expected a file, found none', remedy: UNPACK_AGAIN }];
  }
  if (!found.isFile()) {
    return [{ path, problem: 'expected a plain file, found another kind', remedy: UNPACK_AGAIN }];
  }
  const problems = [];
  if (mode === '755' && (found.mode & 0o100) === 0) {
    problems.push({
      path,
      problem: 'expected a program, found no right to run it',
      remedy: `chmod 755 ${path}`,
    });
  }
  if ((found.mode & 0o6022) !== 0) {
    const problem = `expected mode ${mode}, found ${(found.mode & 0o7777).toString(8)}, which others may misuse`;
    problems.push({ path, problem, remedy: `chmod ${mode} ${path}` });
  }
  if (found.size !== size) {
    const problem = `expected ${size} bytes, found ${found.size}`;
    return [...problems, { path, problem, remedy: COPY_AGAIN }];
  }
  const hash = await hashFile(file).catch((error) => error);
  if (hash instanceof Error) {
    return [
      ...problems,
      { path, problem: `cannot be read: ${hash.message}`, remedy: UNPACK_AGAIN },
    ];
  }
  if (hash !== sha256) {
    problems.push({
      path,
      problem: `expected sha256 ${sha256}, found ${hash}`,
      remedy: COPY_AGAIN,
    });
  }
  return problems;
}

async function hashFile(file) {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) {
    hash.update(chunk);
  }
  return hash.digest('hex');
}

/** What lies in the folder and is not in the manifest, links and empty folders among them. */
async function findStrangers(folder, { files }) {
  const expected = new Set([MANIFEST_FILE, SIGNATURE_FILE, ...files.map(({ path }) => path)]);
  const folders = new Set(files.flatMap(({ path }) => listFolders(path)));
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = posix.relative(folder, posix.join(entry.parentPath, entry.name));
    const isExpected = entry.isDirectory() ? folders.has(path) : expected.has(path);
    return isExpected
      ? []
      : [{ path, problem: 'expected nothing here, found something', remedy: UNPACK_AGAIN }];
  });
}

function listFolders(path) {
  const folder = posix.dirname(path);
  return folder === '.' ? [] : [...listFolders(folder), folder];
}

/** Undefined where there is none, or one that is larger than any right one. */
async function readBounded(file, maxBytes) {
  try {
    const found = await lstat(file);
    return found.isFile() && found.size <= maxBytes ? await readFile(file) : undefined;
  } catch {
    return undefined; // reported as missing
  }
}

function fail(text) {
  process.stderr.write(
    `verify-archive: ${text}\nusage: verify-archive.mjs FOLDER (--key FILE | --allow-unsigned)\n`,
  );
  process.exit(EXIT_USAGE);
}

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { key: { type: 'string' }, 'allow-unsigned': { type: 'boolean' } },
    });
    const [folder, ...more] = positionals;
    if (folder === undefined || more.length > 0) {
      fail(`expected one folder, found ${positionals.length}`);
    }
    if ((values.key === undefined) === (values['allow-unsigned'] === undefined)) {
      fail('expected either --key or --allow-unsigned');
    }
    return { folder, publicKey: values.key && readKey(values.key) };
  } catch (error) {
    return fail(error.message);
  }
}

function readKey(file) {
  const text = readFileSync(file, 'utf8');
  if (createPublicKey(text).asymmetricKeyType !== 'ed25519') {
    fail(`${file}: expected an Ed25519 public key`);
  }
  return text;
}

async function main() {
  const { folder, publicKey } = readArguments();
  const { problems, manifest } = await verifyArchive(folder, { publicKey });
  for (const { path, problem, remedy } of problems) {
    process.stderr.write(`${JSON.stringify(path).slice(1, -1)}: ${problem}; ${remedy}\n`);
  }
  if (problems.length > 0) {
    process.stderr.write(`verify-archive: ${folder} is not whole: ${problems.length} problem(s)\n`);
    process.exitCode = EXIT_DATA;
  } else {
    const { version, flavor, files } = manifest;
    const kind = publicKey === undefined ? 'whole, but nobody signed for it' : 'whole and signed';
    process.stdout.write(`edge-infer ${version} (${flavor}): ${files.length} files, ${kind}\n`);
  }
}

if (import.meta.main) {
  await main();
}
