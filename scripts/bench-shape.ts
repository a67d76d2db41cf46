/**
 * `npm run bench:shape [-- --only TEXT] [--model NAME] [--rounds N]`: what was tried for spreading
 * work over the processors: workers x threads, spinning, pinning, allocators. Each shape is a server
 * of its own; the shapes take turns, and what a round shows is held against the default's in the
 * same round. scripts/README.md holds what came out.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { sendLoad } from './bench/load.ts';
import { median } from './bench/measurement.ts';
import { encodeRequest } from './bench/photos.ts';
import { makeSmallJpegs } from './bench/preparation-photos.ts';
import { type ServerProcess, startServerProcess } from './bench/server-process.ts';

interface Shape {
  readonly name: string;
  readonly flags?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Ties each worker thread to a processor of its own. */
  readonly isPinned?: boolean;
}

const processors = availableParallelism();
const libraries = '/usr/lib/x86_64-linux-gnu';
const preload = (name: string, file: string): Shape[] =>
  existsSync(join(libraries, file))
    ? [{ name, environment: { LD_PRELOAD: join(libraries, file) } }]
    : [];

const shapes: readonly Shape[] = [
  { name: 'default' },
  { name: '1 worker', flags: ['--workers', '1'] },
  { name: `1 worker x ${processors} threads`, flags: ['--threads', `${processors}`] },
  {
    name: `${processors} workers x 2 threads`,
    flags: ['--workers', `${processors}`, '--threads', '2'],
  },
  { name: `${processors + 1} workers`, flags: ['--workers', `${processors + 1}`] },
  { name: `${2 * processors} workers`, flags: ['--workers', `${2 * processors}`] },
  { name: 'workers pinned', isPinned: true },
  { name: 'glibc arenas: 1', environment: { MALLOC_ARENA_MAX: '1' } },
  {
    name: 'glibc, its own thresholds',
    environment: { MALLOC_MMAP_THRESHOLD_: '', MALLOC_TRIM_THRESHOLD_: '' },
  },
  ...preload('jemalloc', 'libjemalloc.so.2'),
  ...preload('mimalloc', 'libmimalloc.so.2.0'),
];

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    rounds: { type: 'string', default: '5' },
    images: { type: 'string', default: '300' },
    callers: { type: 'string', default: '16' },
    variant: { type: 'string', default: 'float32' },
  },
});
const rounds = Number(options.rounds);
const requestCount = Number(options.images);
const chosen = shapes.filter(({ name }) => name === 'default' || name.includes(options.only));
const golden = join(readPackageInfo().root, 'models/efficientnet-lite0/golden');
const bodies = (await makeSmallJpegs(golden)).map(encodeRequest);

/** The threads that did most of the work so far are the workers. */
async function pinWorkers(server: ServerProcess): Promise<void> {
  const folder = `/proc/${server.pid}/task`;
  const threads = await Promise.all(
    (await readdir(folder)).map(async (thread) => {
      const stat = await readFile(join(folder, thread, 'stat'), 'utf8');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return { thread, cpu: Number(fields[11]) + Number(fields[12]) };
    }),
  );
  const workers = threads
    .filter(({ thread }) => thread !== String(server.pid))
    .toSorted((a, b) => b.cpu - a.cpu)
    .slice(0, processors);
  for (const [processor, { thread }] of workers.entries()) {
    execFileSync('taskset', ['-cp', `${processor}`, thread], { stdio: 'ignore' });
  }
}

interface Measured {
  readonly imagesPerSecond: number;
  readonly cpuMs: number;
  readonly p50: number;
  readonly p99: number;
  readonly residentMiB: number;
}

async function measure(shape: Shape): Promise<Measured> {
  const flags = ['--variant', options.variant, ...(shape.flags ?? [])];
  const server = await startServerProcess(flags, shape.environment);
  try {
    const url = `${server.url}/imagenet/ImageClassification`;
    const callers = Number(options.callers);
    await sendLoad({ url, bodies, callers, requestCount: Math.ceil(requestCount / 3) });
    if (shape.isPinned === true) await pinWorkers(server);
    const before = await server.readCpuMs();
    const { duration, latency } = await sendLoad({ url, bodies, callers, requestCount });
    return {
      imagesPerSecond: requestCount / duration,
      cpuMs: ((await server.readCpuMs()) - before) / requestCount,
      p50: latency.p50,
      p99: latency.p99,
      residentMiB: (await server.readResidentBytes()) / 1024 ** 2,
    };
  } finally {
    await server.stop();
  }
}

const results = new Map(chosen.map(({ name }) => [name, [] as Measured[]]));
for (let round = 1; round <= rounds; round++) {
  for (const shape of chosen) {
    results.get(shape.name)?.push(await measure(shape));
  }
  process.stderr.write(`round ${round} of ${rounds} done\n`);
}

const table = new Table({
  head: ['shape', 'img/s', 'to default', 'CPU ms', 'to default', 'p50 ms', 'p99 ms', 'MiB'],
  colAligns: ['left', ...Array<'right'>(7).fill('right')],
  style: { head: [], border: [] },
});
const defaults = results.get('default') ?? [];
for (const [name, list] of results) {
  const of = (key: keyof Measured) => median(list.map((measured) => measured[key]));
  const toDefault = (key: keyof Measured) =>
    median(list.map((measured, round) => measured[key] / (defaults[round]?.[key] ?? Number.NaN)));
  table.push([
    name,
    of('imagesPerSecond').toFixed(1),
    toDefault('imagesPerSecond').toFixed(3),
    of('cpuMs').toFixed(1),
    toDefault('cpuMs').toFixed(3),
    of('p50').toFixed(0),
    of('p99').toFixed(0),
    of('residentMiB').toFixed(0),
  ]);
}
console.log(table.toString());
