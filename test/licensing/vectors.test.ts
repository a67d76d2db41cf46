import { verify } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeVectorFiles } from '../../scripts/license-vectors/files.ts';
import { testBuildFile, testKeys } from '../../scripts/license-vectors/test-keys.ts';
import { makeVectors } from '../../scripts/license-vectors/vectors.ts';
import { createLicenseBuild, parseBuildFile } from '../../src/licensing/build-keys.ts';
import { importPublicKey } from '../../src/licensing/keys.ts';
import { licenseStates } from '../../src/licensing/states.ts';
import { verifyLicense } from '../../src/licensing/verify-license.ts';
import { packageRoot } from '../support/server.ts';

const folder = join(packageRoot, 'license/test-vectors');
const build = createLicenseBuild(testBuildFile);
const vectors = makeVectors();

interface Index {
  readonly build: unknown;
  readonly example: Readonly<
    Record<'payload' | 'signed' | 'signature' | 'envelope' | 'file', string>
  >;
  readonly files: Readonly<Record<string, string>>;
}

async function readIndex(): Promise<Index> {
  return JSON.parse(await readFile(join(folder, 'vectors.json'), 'utf8')) as Index;
}

test('the files are those that the script writes', async () => {
  const written = makeVectorFiles();
  expect((await readdir(folder)).toSorted()).toEqual([...written.keys()].toSorted());
  for (const [name, content] of written) {
    expect((await readFile(join(folder, name))).equals(content), name).toBe(true);
  }
});

test('the files are listed with what they must give', async () => {
  const { files, build: listed } = await readIndex();
  expect(parseBuildFile(Buffer.from(JSON.stringify(listed)))).toEqual({
    ok: true,
    value: testBuildFile,
  });
  for (const [name, expected] of Object.entries(files)) {
    const result = verifyLicense(await readFile(join(folder, name)), build);
    expect(result.ok ? 'ACCEPTED' : result.error.state, name).toBe(expected);
  }
  expect(Object.keys(files)).toHaveLength(vectors.length);
});

test('the worked example leads from the content to the file by what the page says', async () => {
  const { example } = await readIndex();
  const { payload, signed, signature, envelope, file } = example;
  const { kid, publicKey } = testKeys.trial;
  expect(signed).toBe(`edge-infer license v1\n${kid}\n${payload}`);
  const key = importPublicKey(publicKey);
  const sig = Buffer.from(signature, 'base64url');
  expect(key && verify(null, Buffer.from(signed), key, sig)).toBe(true);
  const encoded = Buffer.from(payload).toString('base64url');
  expect(envelope).toBe(`{"v":1,"kid":"${kid}","payload":"${encoded}","sig":"${signature}"}`);
  const lines = Buffer.from(envelope)
    .toString('base64url')
    .replace(/.{64}(?=.)/g, '$&\n');
  expect(await readFile(join(folder, file), 'utf8')).toBe(
    `-----BEGIN EDGE-INFER LICENSE-----\n${lines}\n-----END EDGE-INFER LICENSE-----\n`,
  );
});

describe('a refusal', () => {
  const refusals = vectors.flatMap(({ name, file }) => {
    const result = verifyLicense(file, build);
    return result.ok ? [] : [{ name, file, ...result.error }];
  });

  test('is one line that says what was expected, or which key it was', () => {
    expect(refusals.length).toBeGreaterThan(50);
    for (const { name, state, detail } of refusals) {
      const pattern = /^(MALFORMED|PRODUCT_MISMATCH)$/.test(state)
        ? /^[^\n]*expected [^\n]+, found [^\n]+$/
        : /(key (permanent|trial)-[0-9a-f]{16}|signed with a key for)/;
      expect(detail, name).toMatch(pattern);
      expect(licenseStates[state].class, name).toBe('refused');
    }
  });

  test('shows nothing of a file that is not signed', () => {
    for (const { name, file, detail } of refusals.filter(
      ({ name }) => !/^(content|trial|permanent|crit|other)-/.test(name),
    )) {
      const words = file.toString('latin1').match(/[\w-]{20,}/g) ?? [];
      const body = words.filter((word) => !word.startsWith('-----'));
      expect(
        body.filter((word) => detail.includes(word)),
        name,
      ).toEqual([]);
    }
  });

  test('for its content names every problem', () => {
    const { detail = '' } = refusals.find(({ name }) => name === 'content-many-problems') ?? {};
    expect(detail.split('; ').map((problem) => problem.split(':')[0])).toEqual([
      'lic_id',
      'customer',
      'iat',
      'fp.salt',
      'fp.need',
    ]);
  });
});

test('the text of a licence survives whatever name the customer has', () => {
  const file = vectors.find(({ name }) => name === 'trial-cpu')?.file ?? Buffer.alloc(0);
  const result = verifyLicense(file, build);
  expect(result).toMatchObject({
    ok: true,
    value: {
      kid: testKeys.trial.kid,
      claims: { customer: 'Müller & 李 GmbH', exp: 1_802_592_000 },
    },
  });
});
