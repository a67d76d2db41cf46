/**
 * `npm run bench:memory`: resident memory of the server over 10,000 requests; the growth after the
 * first 1,000, when pools and caches have their size, is what a leak would show in.
 */
import { join } from 'node:path';
import { SingleBar } from 'cli-progress';
import { loadModelPackage } from '../src/catalog/model-package.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { sendLoad } from './bench/load.ts';
import { encodeRequest, loadPhotos } from './bench/photos.ts';
import { startServerProcess } from './bench/server-process.ts';

const CALLERS = 8;
const REQUESTS = 10_000;
const STEP = 1_000;
const MIB = 1024 * 1024;

const model = await loadModelPackage(join(readPackageInfo().root, 'models/efficientnet-lite0'));
if (!model.ok) {
  throw new Error(model.error.join('\n'));
}
const bodies = (await loadPhotos(model.value)).map(encodeRequest);
const server = await startServerProcess();
const progress = new SingleBar({ format: '{bar} {value}/{total} requests, {eta_formatted} left' });
progress.start(REQUESTS, 0);

const residentMiB: number[] = [];
for (let sent = 0; sent < REQUESTS; sent += STEP) {
  const url = `${server.url}/imagenet/ImageClassification`;
  await sendLoad({ url, bodies, callers: CALLERS, requestCount: STEP });
  residentMiB.push((await server.readResidentBytes()) / MIB);
  progress.update(sent + STEP);
}
progress.stop();
await server.stop();

for (const [step, mib] of residentMiB.entries()) {
  console.log(`${String((step + 1) * STEP).padStart(6)} requests: ${mib.toFixed(1)} MiB resident`);
}
const [first = Number.NaN] = residentMiB;
const growth = (residentMiB.at(-1) ?? Number.NaN) - first;
console.log(`growth from ${STEP} to ${REQUESTS} requests: ${growth.toFixed(1)} MiB`);
