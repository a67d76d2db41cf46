/** What a worker owes an answer to. */
export type OwedAnswer = 'load' | 'task' | 'ping';

/** How long a worker may be silent, in ms of `createWatchClock`. */
export type HangLimits = Readonly<Record<OwedAnswer, number>>;

/** What a worker was asked last and has not answered. */
export interface Owed {
  readonly what: OwedAnswer;
  readonly sinceMs: number;
}

/** How often workers are looked at, in ms. */
export const LOOK_INTERVAL_MS = 1_000;

/**
 * A clock that stands still while the whole process does (a suspended virtual machine, a frozen
 * cgroup, a blocked event loop): what its workers did not do meanwhile is not held against them.
 */
export function createWatchClock(nowMs: () => number = () => performance.now()): {
  /** To be called every `LOOK_INTERVAL_MS`. */
  tick(): void;
  readonly nowMs: number;
} {
  let lastMs = nowMs();
  let passedMs = 0;
  const sinceTick = () => Math.min(nowMs() - lastMs, 2 * LOOK_INTERVAL_MS);
  return {
    tick() {
      passedMs += sinceTick();
      lastMs = nowMs();
    },
    get nowMs() {
      return passedMs + sinceTick();
    },
  };
}

/** Loading reads up to gigabytes, perhaps over a network; beyond this it hangs. */
const FIRST_LOAD_LIMIT_MS = 10 * 60_000;
/** Above what anything took that went well, for a host that has become busy since. */
const SLOWDOWN = 20;
/** For threads that wait for a processor, and for images far larger than golden examples. */
const MARGIN_MS = 10_000;

/** What was measured of a service, in ms; 0 where nothing was. */
export interface Measured {
  /** The longest that loading the model took a worker, its first run included. */
  readonly loadMs: number;
  /** The longest that a golden example took. */
  readonly goldenMs: number;
}

/**
 * A worker is busy for as long as the graph runs and can answer nothing meanwhile, so only a limit
 * tells a long run from one without end. Nobody waits longer than the deadline, and no run should
 * take 20 times as long as the slowest golden example.
 */
export function findHangLimits(deadlineMs: number, measured: Measured): HangLimits {
  const task = Math.max(deadlineMs, SLOWDOWN * measured.goldenMs, measured.loadMs) + MARGIN_MS;
  const reload = SLOWDOWN * measured.loadMs + 6 * MARGIN_MS;
  return {
    load: measured.loadMs === 0 ? FIRST_LOAD_LIMIT_MS : Math.min(reload, FIRST_LOAD_LIMIT_MS),
    task: measured.loadMs === 0 ? FIRST_LOAD_LIMIT_MS : task,
    ping: task,
  };
}

const doings: Readonly<Record<OwedAnswer, string>> = {
  load: 'has been loading the model',
  task: 'has been busy with one image',
  ping: 'has been idle and has not answered',
};

/** A sentence on a worker that has been silent for too long; undefined for one that has not. */
export function describeHang(
  place: number,
  owed: Owed | undefined,
  nowMs: number,
  limits: HangLimits,
): string | undefined {
  if (owed === undefined || nowMs - owed.sinceMs <= limits[owed.what]) {
    return undefined;
  }
  const seconds = (ms: number) => `${Math.round(ms / 1000)} s`;
  return `worker ${place + 1} ${doings[owed.what]} for ${seconds(nowMs - owed.sinceMs)} (more than ${seconds(limits[owed.what])} is a hang); only a restart of the process ends it`;
}
