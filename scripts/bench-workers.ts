/**
 * `npm run bench:workers`: what each further worker costs in memory with a model of 100 MB whose
 * weights the workers share. `Pss` is what counts: `Rss` counts shared weights once for each.
 */
import { execFileSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadModelPackage } from '../src/catalog/model-package.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { sendLoad } from './bench/load.ts';
import { median } from './bench/measurement.ts';
import { encodeRequest, loadPhotos } from './bench/photos.ts';
import { startServerProcess } from './bench/server-process.ts';

const MEGABYTES = 100;
const WORKERS = [1, 2, 3, 4];
const RUNS = 3;
const REQUESTS = 200;
const MIB = 1024 * 1024;

const photoModel = await loadModelPackage(
  join(readPackageInfo().root, 'models/efficientnet-lite0'),
);
if (!photoModel.ok) {
  throw new Error(photoModel.error.join('\n'));
}
const bodies = (await loadPhotos(photoModel.value)).map(encodeRequest);
const folder = await mkdtemp(join(tmpdir(), 'edge-infer-workers-'));
const model = join(folder, 'random');
const maker = fileURLToPath(new URL('make-random-model.ts', import.meta.url));
execFileSync(process.execPath, [maker, model, String(MEGABYTES)]);

/** Memory in MiB with a number of workers, after some requests to each of them. */
async function measure(workers: number): Promise<number> {
  const server = await startServerProcess([
    ...['--services.0.deploy-name', 'random', '--services.0.model', model],
    ...['--state-dir', join(folder, 'state'), '--workers', String(workers)],
  ]);
  const url = `${server.url}/random/ImageClassification`;
  await sendLoad({ url, bodies, callers: 2 * workers, requestCount: REQUESTS });
  const bytes = await server.readProportionalBytes();
  await server.stop();
  return bytes / MIB;
}

let previous: number | undefined;
for (const workers of WORKERS) {
  const runs: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    runs.push(await measure(workers));
  }
  const mib = median(runs);
  const step = previous === undefined ? '' : `, ${(mib - previous).toFixed(1)} more`;
  console.log(`${workers} workers: ${mib.toFixed(1)} MiB (median of ${RUNS})${step}`);
  previous = mib;
}
await rm(folder, { recursive: true });
