import { join } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { readPackageInfo } from '../../src/platform/package-info.ts';
import type { Peer } from './peer.ts';
import { peers } from './peers.ts';
import type { LoadPlan } from './rounds.ts';

export interface BenchOptions {
  readonly peers: readonly Peer[];
  readonly rounds: number;
  readonly plans: readonly LoadPlan[];
  /** For choosing among a peer's configurations. */
  readonly trialPlans: readonly LoadPlan[];
  /** Tries only the first configuration of each. */
  readonly quick: boolean;
  /** The folder with one virtual environment for each Python peer. */
  readonly environments: string;
  /** Whether the run is worth writing down: all peers, nothing shortened. */
  readonly isComplete: boolean;
}

const CALLERS = [8, 64];
/** Longer under 64 callers: answers take longer, and p99 needs many. */
const SECONDS = [1.5, 3];

/** Reads the command line; ends the process with a message when it is wrong. */
export function readOptions(args: readonly string[]): BenchOptions {
  const names = peers.map(({ name }) => name).join(', ');
  const command = new Command('bench:peers')
    .description('Measures this server beside others, and writes the table into the READMEs.')
    .option('--rounds <count>', 'rounds in which each server has its turn', readCount, 5)
    .option('--only <names>', `some of ${names}, with commas; writes no README`, readPeers)
    .option('--quick', 'one short round, one configuration each; writes no README', false)
    .addOption(
      new Option('--environments <folder>', 'where the Python peers are installed').default(
        join(readPackageInfo().root, 'state/bench-peers/environments'),
        'state/bench-peers/environments',
      ),
    )
    .parse(args, { from: 'user' });
  const { rounds, only, quick, environments } = command.opts();
  const plan = (seconds: readonly number[]) =>
    CALLERS.map((callers, index) => ({ callers, seconds: seconds[index] ?? 1 }));
  return {
    peers: only ?? peers,
    rounds: quick ? 1 : rounds,
    plans: plan(quick ? [1, 1] : SECONDS),
    trialPlans: plan(quick ? [1, 1] : [1.5, 2]),
    quick,
    environments,
    isComplete: !quick && only === undefined,
  };
}

function readCount(text: string): number {
  if (!/^[1-9]\d{0,2}$/.test(text)) {
    throw new InvalidArgumentError('Expected a whole number from 1 to 999.');
  }
  return Number(text);
}

function readPeers(text: string): Peer[] {
  return text.split(',').map((name) => {
    const peer = peers.find((candidate) => candidate.name === name);
    if (peer === undefined) {
      throw new InvalidArgumentError(`"${name}" is none of them.`);
    }
    return peer;
  });
}
