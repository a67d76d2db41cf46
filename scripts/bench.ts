/**
 * `npm run bench`: images per second and CPU time of the server against a bare loop over the same
 * photos without HTTP, in turns within one run, because these figures drift with the machine.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import Table from 'cli-table3';
import { loadModelPackage } from '../src/catalog/model-package.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { startBareLoop } from './bench/bare-loop.ts';
import { sendLoad } from './bench/load.ts';
import { type Measurement, median } from './bench/measurement.ts';
import { encodeRequest, loadPhotos } from './bench/photos.ts';
import { type ServerProcess, startServerProcess } from './bench/server-process.ts';
import { readStages } from './bench/stages.ts';

const CALLERS = 8;
const ROUNDS = 5;
const IMAGES_A_ROUND = 240;

const folder = join(readPackageInfo().root, 'models/efficientnet-lite0');
const model = await loadModelPackage(folder);
if (!model.ok) {
  throw new Error(model.error.join('\n'));
}
const photos = await loadPhotos(model.value);
const bodies = photos.map(encodeRequest);
const workers = availableParallelism();

async function measureServer(
  server: ServerProcess,
): Promise<Measurement & { p50: number; p99: number }> {
  const cpuBefore = await server.readCpuMs();
  const url = `${server.url}/imagenet/ImageClassification`;
  const result = await sendLoad({ url, bodies, callers: CALLERS, requestCount: IMAGES_A_ROUND });
  return {
    imagesPerSecond: IMAGES_A_ROUND / result.duration,
    cpuMsPerImage: ((await server.readCpuMs()) - cpuBefore) / IMAGES_A_ROUND,
    p50: result.latency.p50,
    p99: result.latency.p99,
  };
}

process.stderr.write(
  `${workers} workers, ${CALLERS} callers, ${ROUNDS} rounds of ${IMAGES_A_ROUND} images\n`,
);
const server = await startServerProcess();
const bareLoop = await startBareLoop(
  workers,
  {
    modelFile: model.value.modelFile,
    preparedFile: undefined,
    manifest: model.value.manifest,
    device: 'cpu',
    threads: 1,
  },
  photos,
);
await measureServer(server);
await bareLoop.measure(IMAGES_A_ROUND / 4);

const table = new Table({
  head: [
    'round',
    'bare img/s',
    'server img/s',
    'ratio',
    'bare CPU ms',
    'server CPU ms',
    'p50 ms',
    'p99 ms',
  ],
  colAligns: Array(8).fill('right'),
  style: { head: [], border: [] },
});
const ratios: number[] = [];
for (let round = 1; round <= ROUNDS; round++) {
  const bare = await bareLoop.measure(IMAGES_A_ROUND);
  const served = await measureServer(server);
  ratios.push(served.imagesPerSecond / bare.imagesPerSecond);
  table.push([
    round,
    bare.imagesPerSecond.toFixed(1),
    served.imagesPerSecond.toFixed(1),
    (ratios.at(-1) ?? Number.NaN).toFixed(3),
    bare.cpuMsPerImage.toFixed(1),
    served.cpuMsPerImage.toFixed(1),
    served.p50.toFixed(0),
    served.p99.toFixed(0),
  ]);
  process.stderr.write(`round ${round} of ${ROUNDS} done\n`);
}
console.log(table.toString());
console.log(`server / bare loop, median of the rounds: ${median(ratios).toFixed(3)}\n`);

const stageTable = new Table({
  head: ['stage', 'mean ms'],
  colAligns: ['left', 'right'],
  style: { head: [], border: [] },
});
for (const { stage, meanMs } of await readStages(server.adminUrl)) {
  stageTable.push([stage, meanMs.toFixed(2)]);
}
console.log(stageTable.toString());
await bareLoop.close();
await server.stop();
