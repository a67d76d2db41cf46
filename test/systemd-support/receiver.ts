import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const RECEIVER = fileURLToPath(new URL('datagram-receiver.pl', import.meta.url));

/** What a service manager hears: see datagram-receiver.pl. */
export interface Receiver extends Disposable {
  readonly process: ChildProcess;
  /** One for each datagram. */
  readonly messages: () => readonly string[];
}

export async function startReceiver(
  address: string,
  reads: 'at once' | 'later' = 'at once',
): Promise<Receiver> {
  const child = spawn('perl', [RECEIVER, address, ...(reads === 'later' ? ['later'] : [])], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  await once(child.stdout, 'data'); // bound
  return {
    process: child,
    messages: () => output.split('\n').slice(1, -1),
    [Symbol.dispose]: () => void child.kill(),
  };
}
