import { readlinkSync } from 'node:fs';

/** Names this process to others on this host: its number, and in which namespace that counts. */
export function describeOwnProcess(): string {
  return `${process.pid} ${readNamespace()}`;
}

/** Whether a process that named itself so has ended, as far as can be told from here. */
export function hasEnded(description: string): boolean {
  const [pid = '', namespace] = description.split(' ');
  if (!/^\d+$/.test(pid) || namespace === '' || namespace !== readNamespace()) return false;
  try {
    process.kill(Number(pid), 0); // asks only
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

/** Containers count their processes each for itself. Empty where the system has no such thing. */
function readNamespace(): string {
  try {
    return readlinkSync('/proc/self/ns/pid');
  } catch {
    return ''; // not Linux
  }
}
