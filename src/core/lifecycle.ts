/** One part of the program that is started in order and stopped in reverse. */
export interface LifecycleStep {
  readonly name: string;
  start(): Promise<void> | void;
  /** Must settle before `deadline` aborts; what is still open then is abandoned. */
  stop(deadline: AbortSignal): Promise<void> | void;
}

export interface Lifecycle {
  /** Starts every step in order. When one throws, those already started are stopped again. */
  start(): Promise<void>;
  /** Stops what was started, last first, all under one deadline. Never throws; safe to call twice. */
  stop(): Promise<void>;
}

export interface LifecycleOptions {
  readonly stopTimeoutMs: number;
  readonly onStopError: (stepName: string, error: unknown) => void;
}

export function createLifecycle(
  steps: readonly LifecycleStep[],
  options: LifecycleOptions,
): Lifecycle {
  const started: LifecycleStep[] = [];
  let stopping: Promise<void> | undefined;

  async function stopAll(): Promise<void> {
    const deadline = AbortSignal.timeout(options.stopTimeoutMs);
    for (const step of started.reverse()) {
      try {
        await step.stop(deadline);
      } catch (error) {
        options.onStopError(step.name, error);
      }
    }
  }

  function stop(): Promise<void> {
    stopping ??= stopAll();
    return stopping;
  }

  return {
    stop,
    async start() {
      for (const step of steps) {
        try {
          await step.start();
        } catch (error) {
          await stop();
          throw error;
        }
        started.push(step);
      }
    },
  };
}
