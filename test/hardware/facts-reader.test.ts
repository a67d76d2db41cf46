import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { packageRoot } from '../support/server.ts';

const reader = join(packageRoot, 'src/hardware/read-host-facts.ts');

test('a command that reads twice does not end while the first process still does', async () => {
  // Nothing but the reader keeps this program alive: what it is given has ended or is let go of.
  const program = `
    import { createFactsReader } from ${JSON.stringify(reader)};
    const ended = new Promise((resolve) => setTimeout(resolve, 300).unref());
    const read = createFactsReader(() => ({ result: Promise.resolve('facts'), ended }));
    await read({ deadlineMs: 5000 });
    console.log(await read({ deadlineMs: 5000 }));`;
  const child = promisify(execFile)(process.execPath, ['--input-type=module', '--eval', program]);
  expect((await child).stdout).toBe('facts\n');
});
