/**
 * onnxruntime 1.29 reports its use to its maker over the network unless this is set; to do so it
 * also writes into the user's cache folder and matches a pattern against the command line, which
 * overflows a thread's stack from some 14,000 characters on.
 *
 * To be called on the main thread before any thread or process that loads onnxruntime is started:
 * a worker's `process.env` is a copy that its library never sees.
 */
export function forbidRuntimeTelemetry(): void {
  process.env.ORT_DISABLE_TELEMETRY = '1';
}
