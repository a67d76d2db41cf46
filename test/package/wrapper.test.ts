import { execFile } from 'node:child_process';
import { chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { readHostFiles } from '../../scripts/package/host-files.ts';
import { serverEnvironment } from '../../src/platform/server-environment.js';
import { makeFolder } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

const folder = await makeFolder();
const release = join(folder, 'a release');
const path = 'scripts/package/host/bin/edge-infer';
const source = { root: packageRoot, commit: '', commitTime: 0, isDirty: false, files: [path] };
const [wrapper] = await readHostFiles(source);
const files = [
  ['bin/edge-infer', wrapper?.bytes ?? ''],
  ['runtime/node', '#!/bin/sh\nprintf "%s\\n" "$@"; /usr/bin/env\n'],
] as const;
for (const [name, content] of files) {
  const file = join(release, name);
  await mkdir(dirname(file), { recursive: true });
  await writeFile(file, content);
  await chmod(file, 0o755);
}
const link = join(folder, 'link');
await symlink(join(release, 'bin/edge-infer'), link);
await symlink('link', join(folder, 'link-to-link'));

/** What the runtime is given: its arguments, then its environment. */
async function run(command: string[], env: Record<string, string> = {}): Promise<string[]> {
  const [file = '', ...args] = command;
  const { stdout } = await promisify(execFile)(file, args, { cwd: '/', env });
  return stdout.trimEnd().split('\n');
}

test('starts the program from any folder, by any link, with its arguments as they are', async () => {
  const given = ['classify', 'a file', '', '*', '--top=1'];
  const expected = [join(release, 'app/src/cli/main.ts'), ...given];
  const ways = [[link], [join(folder, 'link-to-link')], ['/bin/sh', link], [wrapperFile()]];
  for (const way of ways) {
    expect((await run([...way, ...given])).slice(0, expected.length)).toEqual(expected);
  }
});

function wrapperFile(): string {
  return join(release, 'bin/edge-infer');
}

test('sets what the server’s environment should hold, and leaves what is set', async () => {
  const lines = await run([link]);
  const { NODE_COMPILE_CACHE: _, ...values } = serverEnvironment;
  expect(Object.keys(values)).not.toHaveLength(0);
  for (const [name, value] of Object.entries(values)) {
    expect(lines).toContain(`${name}=${value}`);
    expect(await run([link], { [name]: 'mine' })).toContain(`${name}=mine`);
  }
  expect(lines.join()).not.toContain('@');
});

test('keeps compiled code only where the service manager gave it a folder', async () => {
  expect((await run([link])).join('\n')).not.toContain('NODE_COMPILE_CACHE');
  const lines = await run([link], { CACHE_DIRECTORY: '/var/cache/edge-infer' });
  expect(lines).toContain('NODE_COMPILE_CACHE=/var/cache/edge-infer/compiled');
});

test('takes the places of an installation only where it is one', async () => {
  expect((await run([link])).join('\n')).not.toMatch(/EDGE_INFER_(STATE_DIR|CONFIG)/);
});
