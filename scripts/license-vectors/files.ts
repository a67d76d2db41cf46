import { hostKey, strangerKey, testBuildFile, testKeys } from './test-keys.ts';
import { makeVectors, makeWorkedExample } from './vectors.ts';

/** The files of license/test-vectors by name. */
export function makeVectorFiles(): Map<string, Buffer> {
  const vectors = makeVectors();
  const index = {
    build: testBuildFile,
    seeds: {
      ...Object.fromEntries(Object.values(testKeys).map(({ kid, seed }) => [kid, encode(seed)])),
      [strangerKey.kid]: encode(strangerKey.seed),
      host: encode(hostKey.seed),
    },
    example: makeWorkedExample(),
    files: Object.fromEntries(vectors.map(({ name, expected }) => [`${name}.lic`, expected])),
  };
  return new Map([
    ['vectors.json', Buffer.from(`${JSON.stringify(index, undefined, 2)}\n`)],
    ...vectors.map(({ name, file }): [string, Buffer] => [`${name}.lic`, file]),
  ]);
}

function encode(bytes: Buffer): string {
  return bytes.toString('base64url');
}
