import { type CheckedStart, startChecked } from './entrant.ts';
import type { Configuration } from './peer.ts';
import type { Load, Trial } from './results.ts';
import { describeLoads, type LoadPlan, takeTurn } from './rounds.ts';

interface TrialOptions extends Omit<CheckedStart, 'configuration'> {
  readonly configurations: readonly Configuration[];
  readonly plans: readonly LoadPlan[];
  readonly report: (text: string) => void;
}

export interface Choice {
  /** The best. */
  readonly configuration: Configuration;
  readonly trials: readonly Trial[];
}

/** Measures each way in which a peer can use the machine, and chooses the best; an error when none of them works. */
export async function chooseConfiguration(options: TrialOptions): Promise<Choice> {
  const { configurations, plans, report, ...start } = options;
  const { title } = start.entrant.peer;
  const jpegs = start.material.bodies.slice(0, start.material.jpegCount);
  const tried: { configuration: Configuration; loads: readonly Load[] }[] = [];
  const failures: string[] = [];
  for (const configuration of configurations) {
    try {
      const server = await startChecked({ ...start, configuration });
      try {
        const loads = await takeTurn(server, plans, jpegs);
        tried.push({ configuration, loads });
        report(`trial of ${title}, ${configuration.name}: ${describeLoads(loads)}`);
      } finally {
        await server.stop();
      }
    } catch (error) {
      failures.push(`${configuration.name}: ${(error as Error).message}`);
      report(`trial of ${title}, ${failures.at(-1)}`);
    }
  }
  const best = chooseBest(tried);
  if (best === undefined) {
    throw new Error(failures.join('; '));
  }
  return {
    configuration: best.configuration,
    trials: tried.map(({ configuration, loads }) => ({
      title,
      configuration: configuration.name,
      loads,
      chosen: configuration === best.configuration,
    })),
  };
}

/** What is lost at most of the fastest's speed for the sake of shorter waits. */
const SPEED_MARGIN = 0.05;

/** Of those about as fast as the fastest, the one with the lowest p99 under the highest load. */
export function chooseBest<T extends { readonly loads: readonly Load[] }>(
  tried: readonly T[],
): T | undefined {
  const fastest = Math.max(...tried.map(({ loads }) => speedOf(loads)));
  const [best] = tried
    .filter(({ loads }) => speedOf(loads) >= fastest * (1 - SPEED_MARGIN))
    .toSorted((a, b) => (a.loads.at(-1)?.p99Ms ?? 0) - (b.loads.at(-1)?.p99Ms ?? 0));
  return best;
}

/** Requests per second, the geometric mean of all loads, so that each counts alike. */
function speedOf(loads: readonly Load[]): number {
  const product = loads.reduce((all, { requestsPerSecond }) => all * requestsPerSecond, 1);
  return product ** (1 / loads.length);
}
