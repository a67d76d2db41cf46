// Writes license/test-vectors: the same bytes every time, since its keys are fixed and Ed25519
// signatures are not random. test/licensing/vectors.test.ts compares them.
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeVectorFiles } from './license-vectors/files.ts';

const folder = join(import.meta.dirname, '../license/test-vectors');
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const files = makeVectorFiles();
for (const [name, content] of files) {
  await writeFile(join(folder, name), content);
}
console.log(`${files.size} files in ${folder}`);
