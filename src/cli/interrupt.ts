/** Shells' convention for a program that ended because of signal 2, SIGINT. */
export const EXIT_INTERRUPTED = 130;

/** Takes the first Ctrl-C from now on as a wish to end in good order; a second one just ends. */
export function catchInterrupt(): AbortSignal {
  const interrupt = new AbortController();
  process.once('SIGINT', () => interrupt.abort());
  return interrupt.signal;
}
