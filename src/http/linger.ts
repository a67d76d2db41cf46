import type { Socket } from 'node:net';

/** A caller who sends nothing for this long has read its answer, in ms. */
const MAX_SILENCE_MS = 5_000;
/** How long a caller may go on sending what is thrown away, in ms. */
const MAX_LINGER_MS = 30_000;

/**
 * Ends a connection whose caller may still be sending. Closing one with unread bytes makes the
 * kernel reset it, and a reset destroys an answer that the caller has not read yet. So only our
 * side is closed; what still comes must be read and thrown away until the caller closes too, and
 * is for as long as this allows.
 */
export function closeGently(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), MAX_LINGER_MS).unref();
  socket.once('close', () => clearTimeout(timer));
  socket.setTimeout(MAX_SILENCE_MS, () => socket.destroy());
  socket.end();
}
