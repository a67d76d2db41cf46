/**
 * `npm run test:license-histories [-- --count 1000000 --first 0]`: runs seeded histories of hosts,
 * honest and dishonest ones, through the licence's clock policy and records, and checks the
 * properties of license-histories/properties.ts. A failed one is named by its number: run it alone
 * with `--first NUMBER --count 1`.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { SingleBar } from 'cli-progress';
import { formatTable, type Row } from '../src/cli/text-table.ts';
import { kinds } from './license-histories/history.ts';
import { properties } from './license-histories/properties.ts';
import type { Batch, Failure } from './license-histories/worker.ts';

const BATCH = 1000;
const SHOWN_FAILURES = 10;

const { values: flags } = parseArgs({
  options: {
    count: { type: 'string', default: '1000000' },
    first: { type: 'string', default: '0' },
  },
});
const first = Number(flags.first);
const end = first + Number(flags.count);
if (!Number.isSafeInteger(first) || !Number.isSafeInteger(end) || first < 0 || end <= first) {
  console.error('expected --count from 1 and --first from 0, whole numbers');
  process.exit(64);
}

const startedMs = performance.now();
const progress = new SingleBar({
  format: '{bar} {value}/{total} histories, {eta_formatted} left',
});
progress.start(end - first, 0);
const failures: Failure[] = [];
let next = first;
await Promise.all(Array.from({ length: availableParallelism() }, runWorker));
progress.stop();

async function runWorker(): Promise<void> {
  const worker = new Worker(new URL('./license-histories/worker.ts', import.meta.url));
  while (next < end) {
    const batch: Batch = { first: next, count: Math.min(BATCH, end - next) };
    next += batch.count;
    const { promise, resolve, reject } = Promise.withResolvers<readonly Failure[]>();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(batch);
    failures.push(...(await promise));
    worker.off('error', reject);
    progress.increment(batch.count);
  }
  await worker.terminate();
}

const rows: Row[] = [['HISTORIES OF', 'KIND', 'RUN', 'FAILED']];
for (const [index, { name, isHonest }] of kinds.entries()) {
  const before = (number: number) => Math.ceil((number - index) / kinds.length);
  const failed = failures.filter(({ number }) => number % kinds.length === index);
  const run = before(end) - before(first);
  rows.push([name, isHonest ? 'honest' : 'dishonest', `${run}`, `${failed.length}`]);
}
const aligns = ['left', 'left', 'right', 'right'] as const;
console.log(formatTable(rows, { widths: [null, null, null, null], aligns }));
for (const { number, property } of failures.slice(0, SHOWN_FAILURES)) {
  console.log(`history ${number} (${kinds[number % kinds.length]?.name}): ${properties[property]}`);
}
const seconds = ((performance.now() - startedMs) / 1000).toFixed(0);
console.log(`${end - first} histories in ${seconds} s, ${failures.length} failed`);
process.exitCode = failures.length === 0 ? 0 : 1;
