/**
 * `npm run bench:license`: what the licence costs a request (one look at the current decision) and a
 * second (the look at clock and folder), as shares of what a request costs altogether.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createLicenseGate } from '../src/licensing/gate.ts';
import { openLicenseSources } from '../src/licensing/sources.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { sendLoad } from './bench/load.ts';
import { median } from './bench/measurement.ts';
import { encodeRequest } from './bench/photos.ts';
import { makeSmallJpegs } from './bench/preparation-photos.ts';
import { startServerProcess } from './bench/server-process.ts';

const ROUNDS = 5;
const CHECKS = 10_000_000;
const REQUESTS = 400;
const IDLE_MS = 10_000;

const stateDir = await mkdtemp(join(tmpdir(), 'edge-infer-bench-license-'));
const places = { stateDir, license: { dir: join(stateDir, 'licenses'), recordsDir: stateDir } };
const gate = createLicenseGate({
  ...(await openLicenseSources(places, [])),
  services: () => [{ deployName: 'imagenet' }, { deployName: 'second' }],
  onDecision: () => undefined,
  onRecordProblem: () => undefined,
  onFolderProblem: () => undefined,
  onRevocationProblem: () => undefined,
  onFailure: (error) => {
    throw error;
  },
});
await gate.start();

function measureCheckNs(): number {
  let refused = 0;
  const before = process.cpuUsage();
  for (let index = 0; index < CHECKS; index++) {
    refused += gate.findRefusal(index % 2 === 0 ? 'imagenet' : 'second') === undefined ? 0 : 1;
  }
  const { user, system } = process.cpuUsage(before);
  if (refused > 0) {
    throw new Error('this host is not licensed, so the check would not be the usual one');
  }
  return ((user + system) * 1000) / CHECKS;
}

const checkNs = median(Array.from({ length: ROUNDS }, measureCheckNs));
const before = process.cpuUsage();
await delay(IDLE_MS);
const { user, system } = process.cpuUsage(before);
const lookMs = (user + system) / 1000 / (IDLE_MS / 1000);
await gate.stop();

const golden = join(readPackageInfo().root, 'models/efficientnet-lite0/golden');
const bodies = (await makeSmallJpegs(golden)).map(encodeRequest);
const server = await startServerProcess(['--state-dir', stateDir]);
const url = `${server.url}/imagenet/ImageClassification`;
await sendLoad({ url, bodies, callers: 8, requestCount: REQUESTS });
const busyBefore = await server.readCpuMs();
await sendLoad({ url, bodies, callers: 8, requestCount: REQUESTS });
const requestMs = ((await server.readCpuMs()) - busyBefore) / REQUESTS;
await server.stop();
await rm(stateDir, { recursive: true, force: true });

console.log(
  [
    `check: ${checkNs.toFixed(0)} ns a request, ${((100 * checkNs) / 1e6 / requestMs).toFixed(5)} % of its ${requestMs.toFixed(1)} ms of CPU time`,
    `look at clock and folder: ${lookMs.toFixed(2)} ms of CPU time a second, ${((100 * lookMs) / 1000).toFixed(3)} % of a processor`,
  ].join('\n'),
);
