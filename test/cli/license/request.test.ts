import { chmod, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { pngFile } from '../../support/png-file.ts';
import { createOperator } from './operator-fixture.ts';

const operator = await createOperator();
const { home, run, vendor, binding, recordFolders } = operator;
const kinds = binding.fp.components.map(({ k }) => k);

interface Inspected {
  readonly ok: boolean;
  readonly content: { holder: string; salt: string; components: { kind: string; hash: string }[] };
}

/** What the vendor's command makes of a file. */
async function inspect(file: string): Promise<Inspected> {
  const { exitCode, stdout, stderr } = await vendor('inspect', '--json', file);
  expect(exitCode, stderr + stdout).toBe(0);
  return JSON.parse(stdout) as Inspected;
}

test('a request is a file of at most 1 KB that the vendor reads', async () => {
  const { exitCode, stdout } = await run('license', 'request', '--out', 'host.req');
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^Request for a licence of edge-infer, from an? .+\.\nFound: .+\.\n/);
  expect(stdout).toContain('Written to host.req: send this file to your vendor.\n');
  expect(stdout).not.toContain('-----BEGIN');
  expect((await stat(join(home, 'host.req'))).size).toBeLessThanOrEqual(1024);
  const { content } = await inspect('host.req');
  expect(content.components.map(({ kind }) => kind)).toEqual(kinds);
  expect(content.holder).toBe(binding.holder);
  expect(content.salt).not.toBe(binding.fp.salt);
});

test('it holds no hash that another request of the same host has', async () => {
  await writeFile(join(home, 'first.req'), (await run('license', 'request')).stdout);
  await writeFile(join(home, 'second.req'), (await run('license', 'request')).stdout);
  const [first, second] = await Promise.all(['first.req', 'second.req'].map(inspect));
  expect(kinds.length).toBeGreaterThan(0);
  const hashes = new Set(first?.content.components.map(({ hash }) => hash));
  expect(second?.content.components.some(({ hash }) => hashes.has(hash))).toBe(false);
});

test('typed groups say the same, however they are typed', async () => {
  const { stdout } = await run('license', 'request', '--groups');
  const groups = stdout.split('check it:\n\n')[1] ?? '';
  expect(groups).toMatch(/^([0-9A-Z]{5}( |\n|(?=[0-9A-Z]{0,5}\n))){6}/);
  await writeFile(join(home, 'typed.txt'), groups.toLowerCase().replaceAll(' ', '-'));
  expect((await inspect('typed.txt')).content.holder).toBe(binding.holder);

  const wrong = groups.replace(/[0-9]/, (digit) => String((Number(digit) + 1) % 10));
  await writeFile(join(home, 'mistyped.txt'), wrong);
  const { exitCode, stdout: told } = await vendor('inspect', 'mistyped.txt');
  expect(exitCode).toBe(65);
  expect(told).toContain('line 1');
});

test('a QR code is printed without colours where nobody looks', async () => {
  const { stdout } = await run('license', 'request', '--qr');
  const code = stdout.split('\n').filter((line) => /^[█▀▄ ]{20,}$/.test(line));
  expect(code.length).toBeGreaterThan(20);
  expect(new Set(code.map((line) => line.length)).size).toBe(1);
  expect(stdout).not.toContain('\u001b');
});

test("the vendor's command reads the code from a picture of the terminal", async () => {
  const { stdout } = await run('license', 'request', '--qr', '--out', 'drawn.req');
  const rows = stdout.split('\n').filter((line) => /^[█▀▄ ]{20,}$/.test(line));
  await writeFile(join(home, 'screen.png'), photograph(rows));
  const { content } = await inspect('screen.png');
  expect(content.holder).toBe(binding.holder);
  expect(content).toEqual((await inspect('drawn.req')).content);
});

/** Light ink on black, each character a cell of 8 x 16 pixels. */
function photograph(rows: readonly string[]): Buffer {
  const [cellWidth, halfHeight, margin] = [8, 8, 24];
  const width = (rows[0] ?? '').length * cellWidth + 2 * margin;
  const blank = Array.from({ length: margin }, () => Buffer.alloc(width));
  const lines = rows.flatMap((row) =>
    ['█▀', '█▄'].flatMap((inked) => {
      const line = Buffer.alloc(width);
      for (const [column, character] of [...row].entries()) {
        const start = margin + column * cellWidth;
        line.fill(inked.includes(character) ? 230 : 0, start, start + cellWidth);
      }
      return Array.from({ length: halfHeight }, () => line);
    }),
  );
  const all = [...blank, ...lines, ...blank].flatMap((line) => [Buffer.alloc(1), line]);
  const shape = { width, height: all.length / 2, interlaced: false };
  return pngFile({ ...shape, bitDepth: 8, colourType: 0 }, [deflateSync(Buffer.concat(all))]);
}

test('file, groups and code come in one go, from one salt', async () => {
  const { stdout } = await run('license', 'request', '--out', 'all.req', '--groups', '--qr');
  const [, groups = ''] = /check it:\n\n([\s\S]+?)\n\n/.exec(stdout) ?? [];
  await writeFile(join(home, 'all.txt'), groups);
  expect((await inspect('all.txt')).content).toEqual((await inspect('all.req')).content);
  expect(stdout).toContain('█');
  expect(stdout).toContain('Written to all.req');
});

test('a file that is there is never overwritten', async () => {
  await writeFile(join(home, 'precious.txt'), 'precious');
  const { exitCode, stdout, stderr } = await run('license', 'request', '--out', 'precious.txt');
  expect({ exitCode, stdout }).toEqual({ exitCode: 71, stdout: '' });
  expect(stderr).toContain('precious.txt cannot be written: there is one already');
  expect(await readFile(join(home, 'precious.txt'), 'utf8')).toBe('precious');
});

test.each([
  ['closed/host.req', 'this user may not write there'],
  ['nowhere/host.req', 'its folder does not exist'],
  ['precious.txt/host.req', 'its folder is a file'],
])('%s cannot be written: %s', async (path, reason) => {
  await writeFile(join(home, 'precious.txt'), 'precious');
  await mkdir(join(home, 'closed'), { recursive: true });
  await chmod(join(home, 'closed'), 0o555);
  const { exitCode, stderr } = await run('license', 'request', '--out', path);
  expect(exitCode).toBe(71);
  expect(stderr).toBe(`edge-infer: ${path} cannot be written: ${reason}\n`);
});

test('a host that can keep no key makes no request that nobody could answer for', async () => {
  const closed = join(home, 'closed-places');
  await mkdir(closed);
  await chmod(closed, 0o555);
  await rm(recordFolders[2], { recursive: true });
  await symlink(join(closed, 'host'), recordFolders[2]);
  const { exitCode, stdout, stderr } = await run(
    ...['license', 'request', '--state-dir', join(closed, 'state')],
    ...['--license.records-dir', join(closed, 'records')],
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 71, stdout: '' });
  expect(stderr).toMatch(/^edge-infer: the key of this host cannot be kept: .+EACCES.+; .+EACCES/);
});
