import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import { wireErrors } from '../src/core/errors.ts';
import { readBlocks } from './support/read-blocks.ts';
import { packageRoot, startTestServer } from './support/server.ts';

const run = promisify(execFile);
const DEFAULT_ADDRESS = '127.0.0.1:24401';

let readme: string;
beforeAll(async () => {
  readme = await readFile(join(packageRoot, 'README.md'), 'utf8');
});

test('the request gives the answer that is shown', async () => {
  const command = readBlocks(readme, 'sh').find((block) => block.includes('curl'));
  const [shown = ''] = readBlocks(readme, 'json');
  await using running = await startTestServer();
  const address = running.url.replace('http://', '');
  const pasted = command?.replace(DEFAULT_ADDRESS, address) ?? '';
  const { stdout } = await run('bash', ['-c', pasted], { cwd: packageRoot });
  const maskLogId = (json: string) => json.trim().replace(/"log_id":\d{19}/, '"log_id":N');
  expect(maskLogId(stdout)).toBe(maskLogId(shown));
  expect(shown).toContain('"log_id":5');
});

test('the commands of the command line run', async () => {
  const [block = ''] = readBlocks(readme, 'sh').filter((text) => text.includes('alias'));
  const script = `shopt -s expand_aliases\n${block}`;
  const { stdout } = await run('bash', ['-ec', script], { cwd: packageRoot });
  expect(stdout).toContain('espresso');
  expect(stdout).toContain('Usage: edge-infer');
}, 180_000);

test('the commands for a licence are those of its page, which runs them', async () => {
  const page = await readFile(join(packageRoot, 'license/README.md'), 'utf8');
  const pasted = readBlocks(page, 'sh').flatMap((block) => block.split('\n'));
  const [block = ''] = readBlocks(readme, 'sh').filter((text) => text.includes('license install'));
  const commands = block.trimEnd().split('\n');
  expect(commands).toHaveLength(3);
  for (const command of commands) {
    expect(pasted).toContain(command.replace(/ +#.*$/, ''));
  }
});

test('the configuration that is shown works', async () => {
  await using running = await startTestServer();
  const [yaml = ''] = readBlocks(readme, 'yaml');
  const file = join(running.config.stateDir, 'edge-infer.yaml');
  await writeFile(file, yaml);
  await using second = await startTestServer({ config: file });
  const names = [...second.server.services.values()].map((service) => service.status());
  expect(names).toMatchObject([
    { deployName: 'imagenet', state: 'ready' },
    { deployName: 'second', state: 'ready', workers: 1 },
  ]);
});

test('the table of codes is that of the program', () => {
  for (const { wireCode, wireMessage } of Object.values(wireErrors)) {
    expect(readme).toContain(`| ${wireCode} | ${wireMessage} |`);
  }
});

test('every file that is linked exists', async () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? '');
  expect(links.length).toBeGreaterThan(3);
  for (const link of links) {
    await expect(readFile(join(packageRoot, link), 'utf8')).resolves.not.toBe('');
  }
});
