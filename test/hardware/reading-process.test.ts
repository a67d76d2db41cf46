import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import { startReadingProcess } from '../../src/hardware/reading-process.ts';
import { hasUserNamespaces, runAsForger } from '../support/namespaces.ts';
import { packageRoot } from '../support/server.ts';

const hardware = join(packageRoot, 'src/hardware');
const folder = await mkdtemp(join(tmpdir(), 'edge-infer-reading-'));
afterAll(() => rm(folder, { recursive: true }));

const isRunning = (mark: string) =>
  spawnSync('pgrep', ['-f', mark]).stdout.toString().trim() !== '';

/** A program that starts `sleep` with a mark to find it by, and waits. */
const sleeping = (mark: string) => `
  require('node:child_process').spawn('sleep', ['${mark}'], { stdio: 'ignore' });
  setTimeout(() => {}, 60_000);`;

test('a program is over at the deadline, with what it started', async () => {
  const mark = `${process.pid}.25`; // an odd number of seconds
  const { result, ended } = startReadingProcess(['--eval', sleeping(mark)], 400);
  await expect.poll(() => isRunning(`sleep ${mark}`)).toBe(true);
  const error = 'the hardware could not be read within 400 ms';
  expect(await result).toEqual({ ok: false, error });
  await ended;
  await expect.poll(() => isRunning(`sleep ${mark}`)).toBe(false);
});

test('and when the process that reads ends before', async () => {
  const mark = `${process.pid}.75`;
  const program = `
    import { startReadingProcess } from ${JSON.stringify(join(hardware, 'reading-process.ts'))};
    startReadingProcess(['--eval', ${JSON.stringify(sleeping(mark))}], 60_000);
    process.once('SIGTERM', () => process.exit());`;
  const reader = spawn(process.execPath, ['--input-type=module', '--eval', program]);
  await expect.poll(() => isRunning(`sleep ${mark}`), { timeout: 5000 }).toBe(true);
  reader.kill('SIGTERM');
  await once(reader, 'exit');
  await expect.poll(() => isRunning(mark)).toBe(false);
});

test('what it finds and what it started when it is done', async () => {
  const mark = `${process.pid}.50`;
  const program = `${sleeping(mark)}
    console.log(JSON.stringify({ ok: true, value: 'facts' }));
    setTimeout(() => process.exit(), 200);`;
  const { result, ended } = startReadingProcess(['--eval', program], 20_000);
  expect(await result).toEqual({ ok: true, value: 'facts' });
  await expect.poll(() => isRunning(`sleep ${mark}`)).toBe(true);
  await ended;
  await expect.poll(() => isRunning(`sleep ${mark}`)).toBe(false);
});

test.each([
  ['process.exit(3)', 'as the process for it ended early'],
  ['console.log(JSON.stringify({ ok: false, error: "ENFILE" }))', '(ENFILE)'],
])('a program that fails is told: %s', async (program, reason) => {
  const { result } = startReadingProcess(['--eval', program], 20_000);
  const error = `the hardware could not be read ${reason}`;
  expect(await result).toEqual({ ok: false, error });
});

test('it is told nothing of this process but where compiled code is kept', async () => {
  const program = 'console.log(JSON.stringify({ ok: true, value: Object.keys(process.env) }))';
  const { result } = startReadingProcess(['--eval', program], 20_000);
  expect(await result).toEqual({
    ok: true,
    value: process.env.NODE_COMPILE_CACHE === undefined ? [] : ['NODE_COMPILE_CACHE'],
  });
});

test('without file descriptors it says so', async () => {
  const program = `
    import { openSync } from 'node:fs';
    import { readHostFacts } from ${JSON.stringify(join(hardware, 'read-host-facts.ts'))};
    try { for (;;) openSync('/dev/null'); } catch {}
    process.stdout.write(JSON.stringify(await readHostFacts({ deadlineMs: 20_000 })));`;
  const limited = 'ulimit -n 60; exec "$0" --input-type=module --eval "$1"';
  const { stdout } = await promisify(execFile)('sh', ['-c', limited, process.execPath, program]);
  const error = 'the hardware could not be read (EMFILE)';
  expect(JSON.parse(stdout)).toEqual({ ok: false, error });
});

test.skipIf(!hasUserNamespaces)(
  'a disk that hangs holds up neither an answer nor the end',
  async () => {
    const disk = fileURLToPath(new URL('../support/hanging-disk.ts', import.meta.url));
    const reader = fileURLToPath(new URL('../support/read-and-tell.ts', import.meta.url));
    const output = await runAsForger(`
    exec 3<>/dev/fuse
    ${process.execPath} ${disk} & disk=$!
    mount -n -t fuse -o fd=3,rootmode=40000,user_id=0,group_id=0 none /var/lib
    exec 3>&-
    ${process.execPath} ${reader} 4000
    ps -e -o state,args | grep 'read-main[.]ts'
    kill $disk`);
    const [answer, ...left] = output.trim().split('\n');
    expect(answer).toBe('the hardware could not be read within 4000 ms');
    expect(left.join('\n')).toMatch(/^D .*read-main\.ts/m);
  },
);
