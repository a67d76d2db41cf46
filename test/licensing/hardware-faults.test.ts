import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ok } from '../../src/core/result.ts';
import { createFactsReader } from '../../src/hardware/read-host-facts.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { bareMetal } from './license-fixture.ts';

/** Runs a program in this package with few file descriptors; its output is JSON. */
function runWithFewFiles(program: string, ...programArguments: string[]): unknown {
  const limited = 'ulimit -n 60; exec "$0" --input-type=module-typescript -e "$@"';
  const output = execFileSync(
    'sh',
    ['-c', limited, process.execPath, program, ...programArguments],
    { encoding: 'utf8', timeout: 20_000 },
  );
  return JSON.parse(output);
}

test('without file descriptors nothing is learnt, which is not that there is no hardware', () => {
  const program = `
    import { openSync } from 'node:fs';
    import { readHost } from './src/hardware/host-reader.ts';
    import { runUntil } from './src/hardware/run-program.ts';
    import { hostFiles } from './src/hardware/system-files.ts';
    try { for (;;) openSync('/dev/null'); } catch {}
    const codes = [];
    for (const read of [
      async () => hostFiles.readText('/proc/cpuinfo'),
      async () => hostFiles.list('/sys/class/net'),
      () => runUntil(performance.now() + 5000)('echo', ['right']),
      () => readHost({ files: hostFiles, run: async () => undefined, isRoot: false }),
    ]) {
      codes.push(await read().then(JSON.stringify, ({ code }) => code));
    }
    console.log(JSON.stringify(codes));
  `;
  expect(runWithFewFiles(program)).toEqual(['EMFILE', 'EMFILE', 'EMFILE', 'EMFILE']);
});

test('a pipe in the place of a file is not waited for', async () => {
  const pipe = join(await temporaryFolder(), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const program = `
    import { hostFiles } from './src/hardware/system-files.ts';
    console.log(JSON.stringify(hostFiles.readText(process.argv[1])));
  `;
  expect(runWithFewFiles(program, pipe)).toEqual({ state: 'denied' });
});

test('while a reading hangs no other is started, and when it has ended one is', async () => {
  const threads: PromiseWithResolvers<void>[] = [];
  const read = createFactsReader(() => {
    const thread = Promise.withResolvers<void>();
    threads.push(thread);
    return { result: Promise.resolve(ok(bareMetal)), ended: thread.promise };
  });
  const options = { deadlineMs: 50 };
  expect(await read(options)).toMatchObject({ ok: true });
  const hanging = {
    ok: false,
    error: 'the hardware could not be read: an earlier reading still hangs',
  };
  expect(await read(options)).toEqual(hanging);
  expect(await Promise.all([read(options), read(options)])).toEqual([hanging, hanging]);
  expect(threads).toHaveLength(1);
  threads[0]?.resolve();
  const [first, second] = [read({ deadlineMs: 2_000 }), read({ deadlineMs: 2_000 })];
  expect(await first).toMatchObject({ ok: true });
  await delay(50);
  expect(threads).toHaveLength(2);
  threads[1]?.resolve();
  expect(await second).toMatchObject({ ok: true });
});
