import { setTimeout as sleep } from 'node:timers/promises';
import { readBusyMs } from '../../platform/processors.ts';
import { type LoadOptions, startLoad } from './load.ts';
import type { StepReport } from './report.ts';
import type { BenchServer } from './server-process.ts';
import { meanStagesMs, readStageTotals } from './stage-times.ts';

export interface StepOptions extends Omit<LoadOptions, 'port'> {
  readonly warmUpMs: number;
  readonly durationMs: number;
  /** Ends the step with an AbortError. */
  readonly signal: AbortSignal;
}

const POLL_MS = 20;
const MIB = 1024 ** 2;

/**
 * Measures one number of callers. They go on calling before and after what is counted, so that
 * every counted request met the server under the whole load.
 */
export async function measureStep(
  server: BenchServer,
  { warmUpMs, durationMs, signal, ...options }: StepOptions,
): Promise<StepReport> {
  const load = await startLoad({ ...options, port: server.port });

  /** Waits for the time to pass, and until every caller has heard something. */
  async function goOn(milliseconds: number): Promise<void> {
    const enough = load.endedRequests + options.callers;
    await sleep(milliseconds, undefined, { signal });
    while (load.endedRequests < enough) {
      await sleep(POLL_MS, undefined, { signal });
    }
  }

  async function measure(): Promise<StepReport> {
    await goOn(warmUpMs);
    const stagesBefore = await readStageTotals(server.adminUrl);
    const before = await readCpu(server);
    load.startCounting();
    await goOn(durationMs);
    const counts = load.stopCounting();
    const after = await readCpu(server);
    const { residentBytes, peakBytes } = after.usage;
    const proportionalBytes = await server.readProportionalBytes();
    const stagesMs = meanStagesMs(stagesBefore, await readStageTotals(server.adminUrl));

    const { seconds, answered, latencyMs } = counts;
    const serverMs = after.usage.cpuMs - before.usage.cpuMs;
    const callersMs = after.ownMs - before.ownMs;
    return {
      callers: options.callers,
      ...counts,
      requestsPerSecond: answered / seconds,
      cpuMsPerRequest: serverMs / answered,
      callersCpuMsPerRequest: callersMs / answered,
      ...describeOthers(before.busyMs, after.busyMs, serverMs + callersMs, seconds),
      memoryMib: {
        resident: residentBytes / MIB,
        ...(proportionalBytes === undefined ? {} : { proportional: proportionalBytes / MIB }),
        peak: peakBytes / MIB,
      },
      stagesMs: { ...stagesMs, other: restOf(latencyMs.mean, stagesMs) },
    };
  }

  try {
    return await Promise.race([measure(), server.died]);
  } finally {
    load.stop();
  }
}

interface CpuReading {
  readonly usage: Awaited<ReturnType<BenchServer['readUsage']>>;
  readonly ownMs: number;
  readonly busyMs: number | undefined;
}

async function readCpu(server: BenchServer): Promise<CpuReading> {
  const usage = await server.readUsage();
  const { user, system } = process.cpuUsage();
  return { usage, ownMs: (user + system) / 1000, busyMs: readBusyMs() };
}

/** The system counts in ticks, so that a little below nothing can come out: that is nothing. */
function describeOthers(
  busyBeforeMs: number | undefined,
  busyAfterMs: number | undefined,
  ourMs: number,
  seconds: number,
): Pick<StepReport, 'otherProcessors'> {
  return busyBeforeMs === undefined || busyAfterMs === undefined
    ? {}
    : { otherProcessors: Math.max(0, busyAfterMs - busyBeforeMs - ourMs) / 1000 / seconds };
}

function restOf(meanMs: number, stagesMs: Readonly<Record<string, number>>): number {
  const known = Object.values(stagesMs).reduce((sum, each) => sum + each, 0);
  return Math.max(0, meanMs - known);
}
