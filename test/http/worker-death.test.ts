import type { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { imagenetOf } from './support/busy-workers.ts';
import { createPng } from './support/tiny-images.ts';

// Decoding it takes the worker long, and in JavaScript: a thread that is ended inside the native
// runtime can take the whole process with it.
const body = JSON.stringify({ image: createPng(4096, 4096).toString('base64'), top_num: 1 });

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
    // The thread that takes the first one's place says when it is ready, and gets the task then.
    process.once('worker', (second) => second.once('message', () => void second.terminate()));
    const answer = await exchange(port, { body });
    expect(answer.masked).toBe(
      '{"error_code":336000,"error_msg":"Internal error","log_id":ID,"error_detail":"the worker died twice on this request"}',
    );
    expect(answer.statusLine).toBe(statusLine);

    expect((await exchange(port, { body })).masked).toMatch(/^\{"log_id":ID,"results":\[/);
    expect(imagenetOf(running).admission).toMatchObject({ openRequests: 0, heldBytes: 0 });
  });
});
