import type { CheckedServer } from './entrant.ts';
import { measureLoad, summariseRounds } from './measure.ts';
import { readResidentBytes } from './memory.ts';
import type { Load } from './results.ts';

export interface LoadPlan {
  readonly callers: number;
  readonly seconds: number;
}

/** A server that has been started and waits for its turns. */
export interface Contestant {
  readonly title: string;
  readonly server: CheckedServer;
}

export interface Outcome {
  readonly loads: readonly Load[];
  readonly memoryBytes: number;
}

/**
 * Gives every contestant its turn in each round, so that a slow minute of the machine falls on all;
 * each round begins with another one. Who fails is an error in place of an outcome.
 */
export async function runRounds<C extends Contestant>(
  contestants: readonly C[],
  rounds: number,
  plans: readonly LoadPlan[],
  bodies: readonly Uint8Array[],
  report: (text: string) => void,
): Promise<Map<C, Outcome | Error>> {
  const measured = new Map(contestants.map((contestant) => [contestant, [] as Load[]]));
  const failures = new Map<C, Error>();
  for (let round = 0; round < rounds; round++) {
    const first = round % contestants.length;
    for (const contestant of [...contestants.slice(first), ...contestants.slice(0, first)]) {
      if (failures.has(contestant)) {
        continue;
      }
      try {
        const loads = await takeTurn(contestant.server, plans, bodies);
        measured.get(contestant)?.push(...loads);
        report(`round ${round + 1} of ${rounds}: ${contestant.title}: ${describeLoads(loads)}`);
      } catch (error) {
        failures.set(contestant, error as Error);
        report(`${contestant.title} is left out: ${(error as Error).message}`);
        await contestant.server.stop();
      }
    }
  }
  return new Map(
    [...measured].map(([contestant, loads]) => [
      contestant,
      failures.get(contestant) ?? {
        loads: plans.map(({ callers }) =>
          summariseRounds(loads.filter((load) => load.callers === callers)),
        ),
        memoryBytes: readResidentBytes(contestant.server.tree.pids()),
      },
    ]),
  );
}

/** One server under each load in turn; awake only meanwhile if it takes CPU time when idle. */
export async function takeTurn(
  server: CheckedServer,
  plans: readonly LoadPlan[],
  bodies: readonly Uint8Array[],
): Promise<Load[]> {
  server.tree.kill('SIGCONT');
  const loads: Load[] = [];
  for (const plan of plans) {
    loads.push(await measureLoad(server, { ...plan, bodies, findFault: server.findFault }));
  }
  if (server.isRestless) {
    server.tree.kill('SIGSTOP');
  }
  return loads;
}

export function describeLoads(loads: readonly Load[]): string {
  return loads
    .map(
      ({ callers, requestsPerSecond, p99Ms, cpuMs }) =>
        `${callers} callers ${requestsPerSecond.toFixed(1)}/s, p99 ${p99Ms.toFixed(0)} ms, CPU ${cpuMs.toFixed(1)} ms`,
    )
    .join('; ');
}
