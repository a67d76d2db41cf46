import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { readNewPassphrase, readPassphrase } from '../../../src/cli/vendor/passphrase.ts';
import { makeFolder } from '../../support/run-cli.ts';

const folder = await makeFolder();

/** A terminal at which somebody answers each prompt with the next of these. */
function openTerminal(answers: readonly string[]) {
  const input = Object.assign(new PassThrough(), { isTTY: true });
  const output = Object.assign(new PassThrough(), { isTTY: true });
  const rest = [...answers];
  let shown = '';
  output.setEncoding('utf8').on('data', (text: string) => {
    shown += text;
    if (text.includes(':')) {
      setImmediate(() => input.write(rest.shift() ?? '\u0004')); // nobody types before they read
    }
  });
  return { terminal: { input, output }, shown: () => shown };
}

test('asks without showing what is typed', async () => {
  const { terminal, shown } = openTerminal(['correct horse battery\r']);
  const typed = await readPassphrase({ environment: {}, terminal }, 'trial-1234');
  expect(typed).toBe('correct horse battery');
  expect(shown()).toContain('Passphrase of trial-1234:');
  expect(shown()).not.toMatch(/correct|horse|battery|\*/);
});

test('asks for a new one twice', async () => {
  const right = openTerminal(['correct horse battery\r', 'correct horse battery\r']);
  const environment = {};
  expect(await readNewPassphrase({ environment, terminal: right.terminal })).toHaveLength(21);
  const wrong = openTerminal(['correct horse battery\r', 'correct horse batterie\r']);
  await expect(readNewPassphrase({ environment, terminal: wrong.terminal })).rejects.toThrow(
    'expected the same passphrase twice, found two; nothing done',
  );
  const short = openTerminal(['short\r']);
  await expect(readNewPassphrase({ environment, terminal: short.terminal })).rejects.toThrow(
    'expected a passphrase of at least 12 characters, found 5',
  );
});

test.each(['\u0003', '\u0004'])('ends when nothing is typed (%j)', async (key) => {
  const { terminal } = openTerminal([key]);
  await expect(readPassphrase({ environment: {}, terminal }, 'k')).rejects.toThrow(
    'no passphrase was typed',
  );
});

test('takes the first line of a file, else the variable, without asking', async () => {
  const file = join(folder, 'passphrase');
  await writeFile(file, 'from the file\r\nsecond line\n');
  const environment = { EDGE_INFER_VENDOR_PASSPHRASE: 'from the variable' };
  expect(await readPassphrase({ file, environment }, 'k')).toBe('from the file');
  expect(await readPassphrase({ environment }, 'k')).toBe('from the variable');
  const missing = { file: join(folder, 'none'), environment };
  await expect(readPassphrase(missing, 'k')).rejects.toThrow('expected a file, found nothing');
});

test('is the same however an accent was typed', async () => {
  const typed = await readPassphrase(
    { environment: { EDGE_INFER_VENDOR_PASSPHRASE: 'e\u0301' } },
    'k',
  );
  expect(typed).toBe('\u00e9');
});
