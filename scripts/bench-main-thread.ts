/**
 * `npm run bench:main-thread`: CPU time of the server's main thread for a request, against a plain
 * HTTP server that only reads the same body, in turns within one run. Both answer at the same pace
 * beside the same work: while the plain one is measured, a bare loop classifies as the server's
 * workers do, because what others leave of caches and time slices counts for more than the code.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { loadModelPackage } from '../src/catalog/model-package.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { startBareLoop } from './bench/bare-loop.ts';
import { createBody } from './bench/body-of-size.ts';
import { sendLoad } from './bench/load.ts';
import { median } from './bench/measurement.ts';
import { sendPacedLoad } from './bench/paced-load.ts';
import { startServerProcess } from './bench/server-process.ts';
import { startSinkProcess } from './bench/sink-process.ts';

const CALLERS = 8;
const ROUNDS = 5;
const KIB = 1024;
const SIZES = [
  { name: '140 KB', body: createBody(140_000), requests: 300 },
  { name: '4 MiB', body: createBody(4096 * KIB), requests: 100 },
];
/** Enough for the engine to have compiled all of either's way. */
const WARM_UP_REQUESTS = 10_000;

const model = await loadModelPackage(join(readPackageInfo().root, 'models/efficientnet-lite0'));
if (!model.ok) {
  throw new Error(model.error.join('\n'));
}
const { modelFile, manifest } = model.value;
const workers = availableParallelism();
const photo = new Uint8Array(
  Buffer.from((JSON.parse(SIZES[0]?.body ?? '') as { image: string }).image, 'base64'),
);
const server = await startServerProcess(['--log.level', 'info']);
const sink = await startSinkProcess();
const bareLoop = await startBareLoop(
  workers,
  { modelFile, preparedFile: undefined, manifest, device: 'cpu', threads: 1 },
  [photo],
);
const serverUrl = `${server.url}/imagenet/ImageClassification`;

interface Round {
  readonly serverMs: number;
  /** What the server's other threads take for a request. */
  readonly otherThreadsMs: number;
  readonly sinkMs: number;
  readonly requestsPerSecond: number;
}

async function measureRound(body: string, requestCount: number): Promise<Round> {
  const allBefore = await server.readCpuMs();
  let before = await server.readMainThreadCpuMs();
  const { duration } = await sendLoad({
    url: serverUrl,
    bodies: [body],
    callers: CALLERS,
    requestCount,
  });
  const serverMs = ((await server.readMainThreadCpuMs()) - before) / requestCount;

  const otherThreadsMs = ((await server.readCpuMs()) - allBefore) / requestCount - serverMs;
  const requestsPerSecond = requestCount / duration;
  before = await sink.readMainThreadCpuMs();
  await Promise.all([
    bareLoop.measure(requestCount),
    sendPacedLoad({ url: sink.url, body, callers: CALLERS, requestsPerSecond, requestCount }),
  ]);
  const sinkMs = ((await sink.readMainThreadCpuMs()) - before) / requestCount;
  return { serverMs, otherThreadsMs, sinkMs, requestsPerSecond };
}

process.stderr.write(`warming up with ${WARM_UP_REQUESTS} requests each\n`);
// Not an image: refused by the worker, and so answered at once.
const refused = JSON.stringify({ image: Buffer.alloc(105_000).toString('base64') });
for (const url of [serverUrl, sink.url]) {
  await sendLoad({ url, bodies: [refused], callers: CALLERS, requestCount: WARM_UP_REQUESTS });
}
const table = new Table({
  head: ['body', 'round', 'requests/s', 'server ms', 'plain http ms', 'ratio'],
  colAligns: ['left', ...Array<'right'>(5).fill('right')],
  style: { head: [], border: [] },
});
const summaries: string[] = [];
for (const { name, body, requests } of SIZES) {
  await measureRound(body, Math.ceil(requests / 4));
  const rounds: Round[] = [];
  for (let round = 1; round <= ROUNDS; round++) {
    const measured = await measureRound(body, requests);
    const { serverMs, sinkMs, requestsPerSecond } = measured;
    rounds.push(measured);
    table.push([
      name,
      round,
      requestsPerSecond.toFixed(0),
      serverMs.toFixed(3),
      sinkMs.toFixed(3),
      (serverMs / sinkMs).toFixed(2),
    ]);
    process.stderr.write(`${name}: round ${round} of ${ROUNDS} done\n`);
  }
  const serverMs = median(rounds.map((round) => round.serverMs));
  const sinkMs = median(rounds.map((round) => round.sinkMs));
  const otherThreadsMs = median(rounds.map((round) => round.otherThreadsMs));
  summaries.push(
    `${name}: server ${serverMs.toFixed(3)} ms, plain http ${sinkMs.toFixed(3)} ms, ratio ${(serverMs / sinkMs).toFixed(2)} (medians)`,
    `  The other threads take ${otherThreadsMs.toFixed(1)} ms a request, so the main thread is the limit from ${(otherThreadsMs / serverMs).toFixed(0)} workers on, at ${(1000 / serverMs).toFixed(0)} requests/s.`,
  );
}
console.log(table.toString());
console.log(summaries.join('\n'));
await bareLoop.close();
await sink.stop();
await server.stop();
