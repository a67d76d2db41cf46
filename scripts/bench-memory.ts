/**
 * `npm run bench:memory [-- --requests 100000 --imaging portable]`: resident memory of the server
 * with two workers over many requests; the growth after the first twentieth, when pools and caches
 * have their size, is what a leak would show in.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SingleBar } from 'cli-progress';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { sendLoad } from './bench/load.ts';
import { encodeRequest } from './bench/photos.ts';
import { makeSmallJpegs } from './bench/preparation-photos.ts';
import { startServerProcess } from './bench/server-process.ts';

const STEPS = 20;
const MIB = 1024 * 1024;

const { values: flags } = parseArgs({
  options: {
    requests: { type: 'string', default: '10000' },
    callers: { type: 'string', default: '8' },
    imaging: { type: 'string', default: 'auto' },
  },
});
const requests = Number(flags.requests);
const step = Math.ceil(requests / STEPS);

const golden = join(readPackageInfo().root, 'models/efficientnet-lite0/golden');
const bodies = (await makeSmallJpegs(golden)).map(encodeRequest);
const server = await startServerProcess(['--workers', '2', '--imaging', flags.imaging]);
const progress = new SingleBar({ format: '{bar} {value}/{total} requests, {eta_formatted} left' });
progress.start(requests, 0);

const url = `${server.url}/imagenet/ImageClassification`;
const residentMiB: number[] = [];
for (let sent = 0; sent < requests; sent += step) {
  await sendLoad({ url, bodies, callers: Number(flags.callers), requestCount: step });
  residentMiB.push((await server.readResidentBytes()) / MIB);
  progress.update(sent + step);
}
progress.stop();
await server.stop();

for (const [index, mib] of residentMiB.entries()) {
  console.log(`${String((index + 1) * step).padStart(6)} requests: ${mib.toFixed(1)} MiB resident`);
}
const [first = Number.NaN] = residentMiB;
const growth = (residentMiB.at(-1) ?? Number.NaN) - first;
console.log(`growth from ${step} to ${requests} requests: ${growth.toFixed(1)} MiB`);
