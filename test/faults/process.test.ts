/** What happens to the whole process: stopped under load, out of file descriptors. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { startServerProcess } from '../../scripts/bench/server-process.ts';
import { goldenFolder, packageRoot } from '../support/server.ts';

const body = JSON.stringify({
  image: (await readFile(join(goldenFolder, 'rocket.jpg'))).toString('base64'),
});

/** Posts until the server no longer takes connections; counts answers and anything else. */
async function callUntilRefused(url: string, counts: { answered: number; lost: string[] }) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  for (;;) {
    const outcome = await new Promise<string>((resolve) => {
      const sent = request(
        `${url}/imagenet/ImageClassification`,
        { method: 'POST', agent },
        (response) => {
          let text = '';
          response.on('data', (chunk: Buffer) => {
            text += chunk.toString();
          });
          response.on('end', () => resolve(text.includes('"results"') ? 'answered' : text));
          response.on('error', (error) => resolve(error.message));
        },
      );
      sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
      sent.end(body);
    });
    if (outcome === 'ECONNREFUSED') {
      agent.destroy();
      return;
    }
    if (outcome === 'answered') {
      counts.answered++;
    } else {
      counts.lost.push(outcome);
    }
  }
}

test('SIGTERM under load: every request is answered, none is reset', async () => {
  const server = await startServerProcess();
  const counts = { answered: 0, lost: [] as string[] };
  const callers = Array.from({ length: 16 }, () => callUntilRefused(server.url, counts));
  await expect.poll(() => counts.answered, { timeout: 20_000 }).toBeGreaterThan(32);
  await server.stop();
  await Promise.all(callers);
  expect(counts.answered).toBeGreaterThan(16);
  expect(counts.lost).toEqual([]);
});

test('out of file descriptors: goes on once there are some again', async () => {
  const main = join(packageRoot, 'src/cli/main.ts');
  const child = spawn(
    'bash',
    [
      '-c',
      'ulimit -n 64; exec "$@"',
      'bash',
      process.execPath,
      main,
      'serve',
      '--port',
      '0',
      '--admin.port',
      '0',
      '--log.format',
      'json',
    ],
    { stdio: ['ignore', 'pipe', 'ignore'] },
  );
  let log = '';
  child.stdout.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  try {
    await expect.poll(() => log, { timeout: 20_000 }).toContain('"msg":"ready"');
    const port = Number(/"port":(\d+)/.exec(log)?.[1]);
    let closedByServer = 0;
    const sockets: Socket[] = [];
    for (let i = 0; i < 100; i++) {
      const socket = connect(port, '127.0.0.1').on('error', () => undefined);
      socket.on('close', () => closedByServer++).resume();
      sockets.push(socket);
    }
    await expect.poll(() => closedByServer, { timeout: 10_000 }).toBeGreaterThan(20);
    for (const socket of sockets) {
      socket.destroy();
    }
    await expect
      .poll(() => post(`http://127.0.0.1:${port}/imagenet/ImageClassification`), {
        timeout: 10_000,
      })
      .toContain('"results"');
  } finally {
    child.kill('SIGTERM');
    await once(child, 'exit');
  }
});

test('a log that cannot be written costs lines, not the service', async () => {
  const main = join(packageRoot, 'src/cli/main.ts');
  const script = 'exec "$@" > /dev/full';
  const flags = ['--port', '0', '--admin.port', '0', '--log.format', 'json'];
  const child = spawn('bash', ['-c', script, 'bash', process.execPath, main, 'serve', ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let hint = '';
  child.stderr.on('data', (chunk: Buffer) => {
    hint += chunk.toString();
  });
  try {
    await expect.poll(() => hint, { timeout: 20_000 }).toContain('imagenet is ready');
    const url = /http:\S+/.exec(hint)?.[0] ?? '';
    expect(await post(url)).toContain('"results"');
    expect(await post(url)).toContain('"results"');
  } finally {
    child.kill('SIGTERM');
    expect(await once(child, 'exit')).toEqual([0, null]);
  }
});

async function post(url: string): Promise<string> {
  const response = await fetch(url, { method: 'POST', body }).catch(() => undefined);
  return (await response?.text()) ?? 'no answer';
}
