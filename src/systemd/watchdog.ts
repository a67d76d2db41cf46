type Environment = Record<string, string | undefined>;

/**
 * Milliseconds after which the service manager ends this process unless it hears a ping
 * (`sd_watchdog_enabled(3)`); undefined where it does not. Removes the variables from `env`.
 */
export function takeWatchdogMs(
  env: Environment = process.env,
  pid: number = process.pid,
): number | undefined {
  const { WATCHDOG_USEC, WATCHDOG_PID = `${pid}` } = env;
  delete env.WATCHDOG_USEC;
  delete env.WATCHDOG_PID;
  const intervalMs = Number(WATCHDOG_USEC) / 1_000;
  return WATCHDOG_PID === `${pid}` && intervalMs > 0 ? intervalMs : undefined;
}

/**
 * Pings at a third of the interval while the event loop turns, which runs the timer, and `isHealthy`.
 */
export function startPinging(
  watchdogMs: number,
  isHealthy: () => boolean,
  ping: () => void,
): NodeJS.Timeout {
  const pingIfHealthy = () => {
    if (isHealthy()) {
      ping();
    }
  };
  pingIfHealthy();
  return setInterval(pingIfHealthy, watchdogMs / 3).unref();
}
