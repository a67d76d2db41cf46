/**
 * `npm run bench:start`: how long a restart takes, from starting the process to `/readyz` 200, with
 * everything in place: hashes checked, prepared graph mapped, golden examples run.
 */
import { median } from './bench/measurement.ts';
import { startServerProcess } from './bench/server-process.ts';

const RUNS = 10;

const readyAfterMs: number[] = [];
const cpuMs: number[] = [];
for (let run = 0; run <= RUNS; run++) {
  const server = await startServerProcess();
  if (run > 0) {
    // The first one may have had something to prepare.
    readyAfterMs.push(server.readyAfterMs);
    cpuMs.push(await server.readCpuMs());
  }
  await server.stop();
}
const format = (values: number[]) =>
  `${Math.min(...values).toFixed(0)} / ${median(values).toFixed(0)} / ${Math.max(...values).toFixed(0)}`;
console.log(`ready after ${format(readyAfterMs)} ms (minimum / median / maximum of ${RUNS})`);
console.log(`CPU time until then ${format(cpuMs)} ms`);
