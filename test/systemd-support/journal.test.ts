/** The log in the journal: priorities, and a journal that takes nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isJournal } from '../../src/systemd/journal.ts';
import { putMessageFirst } from '../../src/telemetry/journal-stream.ts';
import { mainFile, makeFolder, nodeOptions } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

const JOURNAL = fileURLToPath(new URL('journal.pl', import.meta.url));

interface Journaled extends AsyncDisposable {
  readonly lines: () => readonly string[];
  /** SIGUSR1 stops the journal, SIGUSR2 has it read again, SIGTERM ends the server and it. */
  readonly journal: ChildProcess;
  readonly ended: Promise<number | null>;
}

/** A server's ports, and how many lines of its log it says are lost. */
function readFacts({ lines }: Journaled) {
  const listening = lines().find((line) => line.includes('listening')) ?? '';
  const [port, adminPort] = [...listening.matchAll(/ort":(\d+)/g)].map(([, number]) => number);
  return {
    port,
    async droppedLines(): Promise<number> {
      const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
      return Number(/^edge_infer_log_lines_dropped_total (\d+)$/m.exec(metrics)?.[1]);
    },
  };
}

async function startJournaled(flags: readonly string[] = []): Promise<Journaled> {
  const stateDir = await makeFolder();
  const journal = spawn(
    'perl',
    [
      ...[JOURNAL, process.execPath, mainFile, 'serve', '--port', '0', '--admin.port', '0'],
      ...['--workers', '1', '--state-dir', stateDir, ...flags],
    ],
    {
      cwd: packageRoot,
      env: { ...process.env, NODE_OPTIONS: nodeOptions, XDG_STATE_HOME: join(stateDir, 'user') },
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  let output = '';
  journal.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(journal, 'close').then(([code]) => code as number | null);
  const lines = () => output.split('\n').slice(0, -1);
  await expect.poll(() => lines().join('\n'), { timeout: 50_000 }).toMatch(/\bready\b/);
  return {
    lines,
    journal,
    ended,
    async [Symbol.asyncDispose]() {
      journal.kill('SIGTERM');
      await ended;
    },
  };
}

test('each line has its priority and begins with what it says; nothing else is written', async () => {
  await using running = await startJournaled();
  running.journal.kill('SIGHUP');
  running.journal.kill('SIGTERM');
  expect(await running.ended).toBe(0);
  const lines = running.lines();
  expect(lines.filter((line) => !/^<6>[a-z]/.test(line))).toEqual([]);
  expect(lines).toContainEqual(expect.stringMatching(/^<6>ready \{"service":"imagenet","device":/));
  expect(lines.at(-1)).toBe('<6>stopped');
});

test('as JSON, where the configuration says so', async () => {
  await using running = await startJournaled(['--log.format', 'json']);
  const ready = running.lines().find((line) => line.includes('"msg":"ready"'));
  expect(ready).toMatch(/^<6>\{"level":"info","time":"/);
});

test('a journal that is stopped costs lines, which are counted, and no answer', async () => {
  await using running = await startJournaled();
  const { port, droppedLines } = readFacts(running);
  expect(await droppedLines()).toBe(0);
  running.journal.kill('SIGUSR1');
  const long = 'x'.repeat(8_000);
  for (let i = 0; i < 400; i++) {
    const response = await fetch(`http://127.0.0.1:${port}/${long}`);
    expect(response.status).toBe(404);
    await response.text();
  }
  const dropped = await droppedLines();
  expect(dropped).toBeGreaterThan(50);
  running.journal.kill('SIGUSR2');
  await expect
    .poll(() => running.lines().at(-1), { timeout: 20_000 })
    .toBe(`<4>the journal took no lines for a while; so many are lost {"lines":${dropped}}`);
  // What was not lost is whole.
  const requests = running.lines().filter((line) => line.includes(long));
  expect(requests).toHaveLength(400 - dropped);
  expect(requests.filter((line) => !/^<6>request \{.+\}$/.test(line))).toEqual([]);
});

test('a journal whose socket is gone costs its lines, each counted, and no answer', async () => {
  await using running = await startJournaled();
  const { port, droppedLines } = readFacts(running);
  running.journal.kill('SIGUSR1');
  const ask = async () => (await fetch(`http://127.0.0.1:${port}/nowhere`)).status;
  for (let i = 0; i < 5; i++) {
    expect(await ask()).toBe(404);
  }
  running.journal.kill('SIGINT');
  running.journal.kill('SIGUSR2');
  await delay(500);
  for (let i = 0; i < 5; i++) {
    expect(await ask()).toBe(404);
  }
  expect(await droppedLines()).toBe(5);
  running.journal.kill('SIGTERM');
  expect(await running.ended).toBe(0);
});

test.each([
  ['{"level":"info","msg":"ready"}\n', 'ready\n'],
  ['{"level":"warn","a":1,"msg":"b"}\n', 'b {"a":1}\n'],
  [
    '{"level":"info","a":"\\"msg\\":\\"x","msg":"say \\"hi\\"\\ntwice"}\n',
    'say "hi" twice {"a":"\\"msg\\":\\"x"}\n',
  ],
  ['{"level":"info","a":1}\n', '{"level":"info","a":1}\n'],
])('%s becomes %s', (line, expected) => {
  expect(putMessageFirst(line)).toBe(expected);
});

test('only what JOURNAL_STREAM names is the journal', () => {
  expect(isJournal(1, {})).toBe(false);
  expect(isJournal(1, { JOURNAL_STREAM: '1:1' })).toBe(false);
  expect(isJournal(9999, { JOURNAL_STREAM: '1:1' })).toBe(false);
});
