/**
 * `npm run bench [-- --variant int8]`: images a second and CPU time of the server, at 8 and at 64
 * callers, against a bare loop over the same photos without HTTP, in turns within one run, because
 * these figures drift with the machine. The bare loop has the load generator's CPU time burnt
 * beside it.
 */
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { loadModelPackage } from '../src/catalog/model-package.ts';
import { chooseVariant } from '../src/catalog/variants.ts';
import { meanStagesMs, readStageTotals } from '../src/cli/bench/stage-times.ts';
import { readCpuFeatures } from '../src/platform/cpu-features.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { startBareLoop } from './bench/bare-loop.ts';
import { burnWhile } from './bench/burn.ts';
import { sendLoad } from './bench/load.ts';
import { type Measurement, median } from './bench/measurement.ts';
import { encodeRequest } from './bench/photos.ts';
import { makeSmallJpegs } from './bench/preparation-photos.ts';
import { type ServerProcess, startServerProcess } from './bench/server-process.ts';

const CALLERS = [8, 64];
const ROUNDS = 5;
const IMAGES_A_ROUND = 480;

const { values: flags } = parseArgs({
  options: { variant: { type: 'string', default: 'float32' } },
});
const folder = join(readPackageInfo().root, 'models/efficientnet-lite0');
const cpuFeatures = await readCpuFeatures();
const model = await loadModelPackage(folder, (manifest) =>
  chooseVariant(manifest, flags.variant === 'int8' ? 'int8' : 'float32', {
    device: 'cpu',
    hasCudaProvider: false,
    cpuFeatures,
  }),
);
if (!model.ok) {
  throw new Error(model.error.join('\n'));
}
const photos = await makeSmallJpegs(join(folder, 'golden'));
const bodies = photos.map(encodeRequest);
const workers = availableParallelism();

interface ServerMeasurement extends Measurement {
  readonly p50: number;
  readonly p99: number;
  /** The share of a processor that the load generator took. */
  readonly generatorShare: number;
}

async function measureServer(server: ServerProcess, callers: number): Promise<ServerMeasurement> {
  const cpuBefore = await server.readCpuMs();
  const own = process.cpuUsage();
  const url = `${server.url}/imagenet/ImageClassification`;
  const result = await sendLoad({ url, bodies, callers, requestCount: IMAGES_A_ROUND });
  const { user, system } = process.cpuUsage(own);
  return {
    imagesPerSecond: IMAGES_A_ROUND / result.duration,
    cpuMsPerImage: ((await server.readCpuMs()) - cpuBefore) / IMAGES_A_ROUND,
    p50: result.latency.p50,
    p99: result.latency.p99,
    generatorShare: (user + system) / 1e6 / result.duration,
  };
}

process.stderr.write(
  `${workers} workers, ${model.value.variant.name}, ${ROUNDS} rounds of ${IMAGES_A_ROUND} images\n`,
);
const server = await startServerProcess(['--variant', flags.variant]);
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
await measureServer(server, 8);
await bareLoop.measure(IMAGES_A_ROUND / 4);

const table = new Table({
  head: [
    'callers',
    'round',
    'img/s',
    'bare',
    'ratio',
    'CPU ms',
    'bare',
    'ratio',
    'p50 ms',
    'p99 ms',
    'p99/p50',
  ],
  colAligns: Array(11).fill('right'),
  style: { head: [], border: [] },
});
const ratios = new Map(CALLERS.map((callers) => [callers, [] as { rate: number; cpu: number }[]]));
for (let round = 1; round <= ROUNDS; round++) {
  for (const callers of CALLERS) {
    const served = await measureServer(server, callers);
    const bare = await bareLoop.measure(IMAGES_A_ROUND, (work) =>
      burnWhile(served.generatorShare, work),
    );
    const rate = served.imagesPerSecond / bare.imagesPerSecond;
    const cpu = served.cpuMsPerImage / bare.cpuMsPerImage;
    ratios.get(callers)?.push({ rate, cpu });
    table.push([
      callers,
      round,
      served.imagesPerSecond.toFixed(1),
      bare.imagesPerSecond.toFixed(1),
      rate.toFixed(3),
      served.cpuMsPerImage.toFixed(1),
      bare.cpuMsPerImage.toFixed(1),
      cpu.toFixed(3),
      served.p50.toFixed(0),
      served.p99.toFixed(0),
      (served.p99 / served.p50).toFixed(2),
    ]);
  }
  process.stderr.write(`round ${round} of ${ROUNDS} done\n`);
}
console.log(table.toString());
for (const [callers, list] of ratios) {
  const rate = median(list.map((ratio) => ratio.rate)).toFixed(3);
  const cpu = median(list.map((ratio) => ratio.cpu)).toFixed(3);
  console.log(
    `server / bare loop at ${callers} callers, medians: ${rate} in images/s, ${cpu} in CPU time`,
  );
}

const stageTable = new Table({
  head: ['stage', 'mean ms'],
  colAligns: ['left', 'right'],
  style: { head: [], border: [] },
});
const means = meanStagesMs(new Map(), await readStageTotals(server.adminUrl));
for (const [stage, meanMs] of Object.entries(means)) {
  stageTable.push([stage, meanMs.toFixed(2)]);
}
console.log(stageTable.toString());
await bareLoop.close();
await server.stop();
