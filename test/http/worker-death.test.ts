import { MessagePort } from 'node:worker_threads';
import { deflateSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { collectModelThreads } from '../support/model-threads.ts';
import { pngFile } from '../support/png-file.ts';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { imagenetOf } from './support/busy-workers.ts';

// Decoding it takes the worker about a second, and in JavaScript, as it is interlaced: a thread that
// is ended inside the native runtime can take the whole process with it.
const side = 4096;
const filterBytes = 7680; // one for each row of the seven passes
const slowImage = pngFile(
  { width: side, height: side, bitDepth: 8, colourType: 6, interlaced: true },
  [deflateSync(Buffer.alloc(side * side * 4 + filterBytes))],
);
const body = JSON.stringify({ image: slowImage.toString('base64'), top_num: 1 });

const threads = collectModelThreads();
afterEach(() => vi.restoreAllMocks());

/** Kills the newest thread soon after a request was handed to it, as often as `times` says. */
function killAtNextTasks(times: number): void {
  const { postMessage } = MessagePort.prototype;
  let left = times;
  const spy = vi.spyOn(MessagePort.prototype, 'postMessage');
  spy.mockImplementation(function (this: MessagePort, ...message) {
    Reflect.apply(postMessage, this, message);
    if (message[0]?.kind === 'request') {
      setTimeout(() => void threads.at(-1)?.terminate(), 100);
      left--;
    }
    if (left === 0) {
      spy.mockRestore();
    }
  });
}

describe.each([
  ['compatible', 'HTTP/1.1 200 OK'],
  ['semantic', 'HTTP/1.1 500 Internal Server Error'],
])('with http.statusCodes %s', (statusCodes, statusLine) => {
  let running: TestServer;
  let port: number;
  beforeAll(async () => {
    running = await startTestServer({
      workers: '1',
      imaging: 'portable',
      'http.status-codes': statusCodes,
      'deadline-ms': '60000',
    });
    port = running.server.servicePort;
  });
  afterAll(() => running[Symbol.asyncDispose]());

  test('a request on which one worker dies is answered by the next', async () => {
    killAtNextTasks(1);
    expect((await exchange(port, { body })).masked).toMatch(/^\{"log_id":ID,"results":\[/);
    const metrics = await (await fetch(`${running.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^edge_infer_worker_restarts_total\{service="imagenet"\} 1$/m);
  });

  test('a request on which two workers die is 336000, and the next one is answered', async () => {
    killAtNextTasks(2);
    const answer = await exchange(port, { body });
    expect(answer.masked).toBe(
      '{"error_code":336000,"error_msg":"Internal error","log_id":ID,"error_detail":"the worker died twice on this request"}',
    );
    expect(answer.statusLine).toBe(statusLine);

    expect((await exchange(port, { body })).masked).toMatch(/^\{"log_id":ID,"results":\[/);
    expect(imagenetOf(running).admission).toMatchObject({ openRequests: 0, heldBytes: 0 });
  });
});
