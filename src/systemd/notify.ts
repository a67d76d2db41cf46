import { execFile } from 'node:child_process';
import { constants } from 'node:os';
import type { Result } from '../core/result.ts';
import { loadNativeBindings, type NativeBindings } from '../platform/native-bindings.ts';

/** Tells the service manager how things stand (`sd_notify(3)`); where there is none, nobody. */
export interface Notifier {
  /** Whether anybody listens. */
  readonly isHeard: boolean;
  /** The service, or its reload, is done with its start. */
  ready(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  reloading(): void;
  stopping(): void;
  /** Alive. */
  ping(): void;
  /** Hung beyond repair: the manager does what it would after missed pings, at once. */
  trigger(): void;
  /** From now on the current step may take `ms` longer. */
  extendTimeout(ms: number): void;
}

/** Sends one message; resolves with false when it should be sent again later. Never rejects. */
type Send = (message: string) => boolean | Promise<boolean>;

type Environment = Record<string, string | undefined>;

const RETRY_MS = 200;
const PROGRAM_TIMEOUT_MS = 5_000;
/** Longer lines say nothing more on a screen. */
const MAX_STATUS_LENGTH = 1_000;

/**
 * Reads `NOTIFY_SOCKET` and removes it from `env`, so that no child speaks for this process.
 * `onProblem` hears once why nothing can be told.
 */
export function createNotifier(
  onProblem: (problem: string) => void,
  env: Environment = process.env,
  loadBindings: () => Result<NativeBindings, string> = loadNativeBindings,
): Notifier {
  const address = env.NOTIFY_SOCKET ?? '';
  delete env.NOTIFY_SOCKET;
  const post =
    address === '' ? () => undefined : createPost(chooseWay(address, loadBindings(), onProblem));
  return {
    isHeard: address !== '',
    ready: () => post('READY=1'),
    status: (text) => post(`STATUS=${oneLine(text)}`),
    reloading: () => post(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1_000n}`),
    stopping: () => post('STOPPING=1'),
    ping: () => post('WATCHDOG=1'),
    trigger: () => post('WATCHDOG=trigger'),
    extendTimeout: (ms) => post(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1_000)}`),
  };
}

function oneLine(text: string): string {
  const line = text.replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.length > MAX_STATUS_LENGTH ? `${line.slice(0, MAX_STATUS_LENGTH - 1)}…` : line;
}

/** Sends messages in their order, and again what was not taken, unless later news replaced it. */
function createPost(send: Send): (message: string) => void {
  const waiting: string[] = [];
  let isSending = false;

  async function sendWaiting(): Promise<void> {
    isSending = true;
    while (waiting.length > 0) {
      const sent = send(waiting[0] ?? '');
      // Told at once where that is possible: the process may be about to end.
      if (sent === true || (sent !== false && (await sent))) {
        waiting.shift();
      } else {
        setTimeout(() => void sendWaiting(), RETRY_MS).unref();
        return;
      }
    }
    isSending = false;
  }

  return (message) => {
    // The first may be under way. So few kinds are left that a bound is needed for none.
    const old = waiting.findIndex((one, index) => index > 0 && kindOf(one) === kindOf(message));
    if (old > 0) {
      waiting.splice(old, 1);
    }
    waiting.push(message);
    if (!isSending) {
      void sendWaiting();
    }
  };
}

/** Of two messages of one kind only the later one is worth telling. */
function kindOf(message: string): string {
  return /^(STATUS|RELOADING|EXTEND_TIMEOUT_USEC)=/.exec(message)?.[1] ?? message;
}

function chooseWay(
  address: string,
  bindings: Result<NativeBindings, string>,
  onProblem: (problem: string) => void,
): Send {
  let hasTold = false;
  const tellOnce = (problem: string) => {
    if (!hasTold) {
      hasTold = true;
      onProblem(`the service manager cannot be told how things stand: ${problem}`);
    }
  };
  return bindings.ok && /^[@/]/.test(address)
    ? sendDatagrams(address, bindings.value.sendDatagram, tellOnce)
    : runProgram(address, tellOnce);
}

function sendDatagrams(
  address: string,
  sendDatagram: (address: string, message: Uint8Array) => number,
  onProblem: (problem: string) => void,
): Send {
  const { EAGAIN, ENOBUFS } = constants.errno;
  return (message) => {
    const error = sendDatagram(address, Buffer.from(message));
    if (error === EAGAIN || error === ENOBUFS) {
      return false;
    }
    if (error !== 0) {
      const name = Object.entries(constants.errno).find(([, value]) => value === error)?.[0];
      onProblem(`${address}: ${name ?? error}`);
    }
    return true;
  };
}

/**
 * systemd's own program speaks from a process of its own, so the unit needs `NotifyAccess=all`. It
 * takes 10 ms, in which nothing here waits.
 */
function runProgram(address: string, onProblem: (problem: string) => void): Send {
  return (message) =>
    new Promise((resolve) => {
      const options = {
        env: { PATH: process.env.PATH, NOTIFY_SOCKET: address },
        timeout: PROGRAM_TIMEOUT_MS,
      };
      execFile('systemd-notify', message.split('\n'), options, (error) => {
        if (error !== null) {
          onProblem(error.message.trim());
        }
        resolve(true);
      });
    });
}
