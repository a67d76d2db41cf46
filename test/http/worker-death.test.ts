import type { Worker } from 'node:worker_threads';
import { deflateSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
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

/** The threads of this process, in the order of their start. */
const threads: Worker[] = [];
const remember = (worker: Worker) => threads.push(worker);
process.on('worker', remember);
afterAll(() => process.off('worker', remember));

/** Kills the newest thread once it works on the next request. */
function killDuringNextRequest(running: TestServer): void {
  const service = imagenetOf(running);
  const classify = service.classifyRequest.bind(service);
  vi.spyOn(service, 'classifyRequest').mockImplementationOnce((...request) => {
    const reply = classify(...request);
    // The task is handed over in a microtask of this turn.
    setImmediate(() => void threads.at(-1)?.terminate());
    return reply;
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
    killDuringNextRequest(running);
    expect((await exchange(port, { body })).masked).toMatch(/^\{"log_id":ID,"results":\[/);
    const metrics = await (await fetch(`${running.adminUrl}/metrics`)).text();
    expect(metrics).toMatch(/^edge_infer_worker_restarts_total\{service="imagenet"\} 1$/m);
  });

  test('a request on which two workers die is 336000, and the next one is answered', async () => {
    killDuringNextRequest(running);
    // The thread that takes the first one's place says when it has loaded, and gets the task then.
    process.once('worker', (second) =>
      second.once('message', () => setTimeout(() => void second.terminate(), 100)),
    );
    const answer = await exchange(port, { body });
    expect(answer.masked).toBe(
      '{"error_code":336000,"error_msg":"Internal error","log_id":ID,"error_detail":"the worker died twice on this request"}',
    );
    expect(answer.statusLine).toBe(statusLine);

    expect((await exchange(port, { body })).masked).toMatch(/^\{"log_id":ID,"results":\[/);
    expect(imagenetOf(running).admission).toMatchObject({ openRequests: 0, heldBytes: 0 });
  });
});
