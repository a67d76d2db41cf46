import { execFileSync } from 'node:child_process';
import { chmod, mkdir, symlink, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { testBuildFile } from '../../scripts/license-vectors/test-keys.ts';
import { makeVectors } from '../../scripts/license-vectors/vectors.ts';
import { readBoundedFile } from '../../src/licensing/bounded-file.ts';
import { createLicenseBuild } from '../../src/licensing/build-keys.ts';
import { readLicenseFile } from '../../src/licensing/read-license-file.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';

const NOBODY = 65534;
const GIBIBYTE = 1024 ** 3;

const build = createLicenseBuild(testBuildFile);
const good = makeVectors().find(({ name }) => name === 'permanent-cpu')?.file ?? Buffer.alloc(0);
let folder: string;
beforeAll(async () => {
  folder = await temporaryFolder();
});

async function read(name: string): Promise<string> {
  const result = await readLicenseFile(join(folder, name), build);
  return result.ok ? result.value.claims.lic_id : `${result.error.state}: ${result.error.detail}`;
}

test('reads a licence', async () => {
  await writeFile(join(folder, 'good.lic'), good);
  expect(await read('good.lic')).toBe('lic-00000000000000000002');
});

test('tells a file that is not there from one that is no licence', async () => {
  expect(await read('absent.lic')).toBe('NOT_FOUND: expected a file, found nothing there');
  await writeFile(join(folder, 'half.lic'), good.subarray(0, 700));
  expect(await read('half.lic')).toMatch(/^MALFORMED: .*cut short or still being written$/);
});

test('does not read a file of 1 GB', async () => {
  await writeFile(join(folder, 'huge.lic'), good);
  await truncate(join(folder, 'huge.lic'), GIBIBYTE);
  const before = process.memoryUsage();
  expect(await read('huge.lic')).toBe(`MALFORMED: expected at most 16384 bytes, found ${GIBIBYTE}`);
  const after = process.memoryUsage();
  expect(after.external + after.heapUsed - before.external - before.heapUsed).toBeLessThan(4e6);
});

test('reads no more than the bound of a file that does not say its size', async () => {
  // Of 0 bytes by its own account, like everything in /proc, and longer than a licence may be.
  const result = await readLicenseFile('/proc/kallsyms', build);
  expect(result).toMatchObject({
    ok: false,
    error: { state: 'MALFORMED', detail: 'expected at most 16384 bytes, found more' },
  });
});

test('follows symbolic links, as those of a mounted Kubernetes secret, to regular files', async () => {
  await mkdir(join(folder, '..2026_11_22'));
  await writeFile(join(folder, '..2026_11_22/secret.lic'), good);
  await symlink('..2026_11_22', join(folder, '..data'));
  await symlink('..data/secret.lic', join(folder, 'mounted.lic'));
  expect(await read('mounted.lic')).toBe('lic-00000000000000000002');
});

test('says where a symbolic link leads that leads to no file', async () => {
  await symlink('nowhere', join(folder, 'dangling.lic'));
  await symlink('circle.lic', join(folder, 'circle.lic'));
  await symlink('.', join(folder, 'to-folder.lic'));
  await symlink('/dev/zero', join(folder, 'to-device.lic'));
  expect(await read('dangling.lic')).toBe(
    'NOT_FOUND: expected a file, found a symbolic link to nothing',
  );
  expect(await read('circle.lic')).toBe(
    'MALFORMED: expected a file, found symbolic links in a circle',
  );
  expect(await read('to-folder.lic')).toBe('MALFORMED: expected a file, found a folder');
  expect(await read('to-device.lic')).toMatch(/^MALFORMED: expected a file, found a device/);
});

test('follows no link where the place of the file vouches for it', async () => {
  await symlink('good.lic', join(folder, 'link.lic'));
  expect(await readBoundedFile(join(folder, 'link.lic'), good.length)).toEqual({
    ok: false,
    error: {
      isMissing: false,
      detail: 'expected a file, found a symbolic link; put the file itself there',
    },
  });
});

test('refuses what is no regular file, without waiting for it', async () => {
  await mkdir(join(folder, 'folder.lic'));
  execFileSync('mkfifo', [join(folder, 'pipe.lic')]);
  const server = createServer().listen(join(folder, 'socket.lic'));
  expect(await read('folder.lic')).toBe('MALFORMED: expected a file, found a folder');
  expect(await read('pipe.lic')).toBe('MALFORMED: expected a file, found a pipe');
  expect(await read('socket.lic')).toBe('MALFORMED: expected a file, found a device or socket');
  expect(await readLicenseFile('/dev/zero', build)).toMatchObject({
    error: { state: 'MALFORMED', detail: 'expected a file, found a device or socket' },
  });
  server.close();
});

test('says whose file it is where it may not be read', async () => {
  await mkdir(join(folder, 'closed'));
  await writeFile(join(folder, 'closed/good.lic'), good);
  await writeFile(join(folder, 'secret.lic'), good, { mode: 0o600 });
  const isRoot = process.geteuid?.() === 0;
  await chmod(join(folder, 'closed'), isRoot ? 0o700 : 0);
  await chmod(join(folder, 'secret.lic'), isRoot ? 0o600 : 0);
  await chmod(folder, 0o755);
  if (isRoot) {
    process.seteuid?.(NOBODY);
  }
  const found = [await read('secret.lic'), await read('closed/good.lic')];
  if (isRoot) {
    process.seteuid?.(0);
  }
  await chmod(join(folder, 'closed'), 0o700);
  expect(found[0]).toMatch(
    /^MALFORMED: expected a file that this user may read, found one of user \d+ with mode (600|0)$/,
  );
  expect(found[1]).toBe('MALFORMED: its folder is closed to this user');
});
