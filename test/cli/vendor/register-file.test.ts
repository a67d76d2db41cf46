import { execFile } from 'node:child_process';
import { appendFile, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { RegisterEntry } from '../../../src/cli/vendor/register-entry.ts';
import { appendToRegister, readRegister } from '../../../src/cli/vendor/register-file.ts';
import { makeFolder } from '../../support/run-cli.ts';

const folder = await makeFolder();
let count = 0;
const newPath = () => join(folder, `new/register-${count++}.jsonl`);

function revoked(licId: string): RegisterEntry {
  return { at: '2026-11-22T12:00:00.000Z', event: 'revoked', lic_id: licId };
}

test('holds what was added, in order, for its owner alone', async () => {
  const path = newPath();
  await appendToRegister(path, [revoked('lic-number-1')]);
  await appendToRegister(path, [revoked('lic-number-2'), revoked('lic-number-3')]);
  expect(await readRegister(path)).toMatchObject({
    value: { entries: ['1', '2', '3'].map((n) => revoked(`lic-number-${n}`)), cutLines: [] },
  });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await readFile(path, 'utf8')).trimEnd().split('\n')).toHaveLength(3);
});

test('passes over a line that was cut short anywhere, and keeps every whole one', async () => {
  const line = `${JSON.stringify(revoked('lic-number-2'))}\n`;
  for (let length = 1; length < line.length; length += 1) {
    const path = newPath();
    await appendToRegister(path, [revoked('lic-number-1')]);
    await appendFile(path, line.slice(0, length));
    const isWhole = length === line.length - 1;
    const before = isWhole ? ['lic-number-1', 'lic-number-2'] : ['lic-number-1'];
    const cutLines = isWhole ? [] : [2];
    for (const added of [[], [revoked('lic-number-3')]]) {
      await appendToRegister(path, added);
      const register = await readRegister(path);
      const ids = register.ok ? register.value.entries.map(({ lic_id }) => lic_id) : [];
      expect(ids, `${length}`).toEqual([...before, ...added.map(({ lic_id }) => lic_id)]);
      expect(register).toMatchObject({ value: { cutLines } });
    }
  }
});

test('names every line that is no entry', async () => {
  const path = newPath();
  await appendToRegister(path, [revoked('lic-number-1')]);
  await appendFile(path, '{"event":"sold"}\n{"at":"today","event":"revoked","lic_id":"x"}\n');
  const register = await readRegister(path);
  expect(register.ok ? [] : register.error.map(({ text }) => text)).toEqual([
    expect.stringMatching(/register-\d+\.jsonl:2: event: expected .+ found "sold"$/),
    expect.stringMatching(
      /register-\d+\.jsonl:3: at: expected a time .+; lic_id: expected 8 to 64/,
    ),
  ]);
});

test('keeps the entries of processes that write at once whole', async () => {
  const path = newPath();
  const program = `
    import { appendToRegister } from './src/cli/vendor/register-file.ts';
    for (let n = 0; n < 50; n += 1) {
      await appendToRegister(process.argv[1], [
        { at: '2026-11-22T12:00:00.000Z', event: 'revoked', lic_id: process.argv[2] + n, reason: 'x'.repeat(200) },
      ]);
    }`;
  const run = (name: string) =>
    promisify(execFile)(process.execPath, [
      '--input-type=module-typescript',
      '-e',
      program,
      path,
      name,
    ]);
  await Promise.all([run('lic-first-'), run('lic-second-')]);
  const register = await readRegister(path);
  expect(register.ok && new Set(register.value.entries.map(({ lic_id }) => lic_id)).size).toBe(100);
  expect(register).toMatchObject({ value: { cutLines: [] } });
});

test('tells one that is not there, and one that cannot be written', async () => {
  expect(await readRegister(newPath())).toMatchObject({
    error: [{ exit: 'NO_INPUT', text: expect.stringContaining('see --register') as string }],
  });
  await writeFile(join(folder, 'file'), '');
  await expect(appendToRegister(join(folder, 'file/register'), [])).rejects.toThrow(
    /^register \S+ cannot be written: /,
  );
});
