import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { ok } from '../../src/core/result.ts';
import { readHost } from '../../src/hardware/host-reader.ts';
import { createFactsReader } from '../../src/hardware/read-host-facts.ts';
import { hostFiles, type SystemFiles } from '../../src/hardware/system-files.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { load, readRecordedHost, recordedFiles } from '../support/recorded-host.ts';
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

test('a file that cannot be read is told, and all others are', async () => {
  const { files } = load('bare-metal');
  const recorded = recordedFiles(files);
  // Reading a process's own memory at address 0 is an I/O error for every user.
  const broken = new Set(['/etc/machine-id', '/var/lib/dbus/machine-id']);
  const failing: SystemFiles = {
    ...recorded,
    readText: (path) =>
      broken.has(path) ? hostFiles.readText('/proc/self/mem') : recorded.readText(path),
  };
  expect(() => failing.readText('/etc/machine-id')).toThrow('EIO');
  const facts = await readHost({ files: failing, run: async () => undefined, isRoot: true });
  const whole = await readRecordedHost('bare-metal');
  expect(facts.components).toEqual(whole.components.filter(({ kind }) => kind !== 'machine-id'));
  expect(facts.unreadable).toEqual(['machine-id']);
  expect(facts.notes).toContain('/etc/machine-id does not count: reading it fails (EIO)');
});

test('nor does a folder that cannot be listed or a link that cannot be followed', async () => {
  const recorded = recordedFiles(load('bare-metal').files);
  const fail = (path: string) => {
    throw Object.assign(new Error(`EIO: i/o error, ${path}`), { code: 'EIO' });
  };
  const isCard = (path: string) => path.startsWith('/sys/class/net');
  const failing: SystemFiles = {
    ...recorded,
    list: (path) => (isCard(path) ? fail(path) : recorded.list(path)),
    realPath: (path) => (isCard(path) ? fail(path) : recorded.realPath(path)),
  };
  const facts = await readHost({ files: failing, run: async () => undefined, isRoot: true });
  const kinds = new Set(facts.components.map(({ kind }) => kind));
  expect(kinds).not.toContain('network-card');
  expect(kinds.size).toBe(6);
  expect(facts.notes).toContain('/sys/class/net does not count: reading it fails (EIO)');
});

test('while a reading hangs no other is started, and when it has ended one is', async () => {
  const processes: PromiseWithResolvers<void>[] = [];
  const read = createFactsReader(() => {
    const process = Promise.withResolvers<void>();
    processes.push(process);
    return { result: Promise.resolve(ok(bareMetal)), ended: process.promise };
  });
  const options = { deadlineMs: 50 };
  expect(await read(options)).toMatchObject({ ok: true });
  const hanging = {
    ok: false,
    error: 'the hardware could not be read: an earlier reading still hangs',
  };
  expect(await read(options)).toEqual(hanging);
  expect(await Promise.all([read(options), read(options)])).toEqual([hanging, hanging]);
  expect(processes).toHaveLength(1);
  processes[0]?.resolve();
  const [first, second] = [read({ deadlineMs: 2_000 }), read({ deadlineMs: 2_000 })];
  expect(await first).toMatchObject({ ok: true });
  await delay(50);
  expect(processes).toHaveLength(2);
  processes[1]?.resolve();
  expect(await second).toMatchObject({ ok: true });
});
