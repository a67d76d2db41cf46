/** A Debian whose process 1 is a real systemd, in namespaces of its own, with no network but loopback. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Outcome, outputOf, runCommand, runOrThrow } from './command.ts';
import { findInCache, makeDebianRoot } from './debian-root.ts';
import { nameGroup, removeGroup, removeStaleGroups } from './groups.ts';

const DISK_SCRIPT = fileURLToPath(new URL('disk.sh', import.meta.url));
const BOOT_SCRIPT = fileURLToPath(new URL('boot.sh', import.meta.url));
const COMMAND_TIMEOUT_MS = 60_000;
const BOOT_TIMEOUT_MS = 60_000;
/** Time that a command gets to end after it was told to. */
const KILL_AFTER_MS = 2000;
const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export interface LabOptions {
  /** MiB that can be written before the disk is full; the memory is taken as it is used. */
  readonly diskMiB?: number;
  /** Folders of this machine that the lab sees, read-only: path inside -> path here. */
  readonly folders?: Readonly<Record<string, string>>;
}

interface RunOptions {
  readonly input?: string | Uint8Array;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Lab extends AsyncDisposable {
  /** Runs a line of shell as root inside; ended with status 124 or 137 when its time is up. */
  run(line: string, options?: RunOptions): Promise<Outcome>;
  /** The same for what must succeed: returns its standard output without the last line end. */
  sh(line: string, options?: RunOptions): Promise<string>;
  /**
   * Starts a program of this machine in the lab's network alone: what it calls is the lab's loopback,
   * what it reads are this machine's files.
   */
  spawnOnItsNetwork(command: readonly string[]): ChildProcess;
  /** Writes a file inside, with the folders above it. */
  write(path: string, content: string | Uint8Array): Promise<void>;
  /** Copies a file or folder of this machine to a path inside; owned by root, modes kept. */
  copyIn(from: string, to: string): Promise<void>;
  /** Boots once more with the same disk: in good order, or as after a power cut. */
  reboot(how?: 'in-order' | 'power-cut'): Promise<void>;
  /** Process 1 as this machine's /proc knows it. */
  readonly pid: number;
}

/** Boots a clean copy of the Debian root; needs root. Disposing ends every process and mount of it. */
export async function bootLab(options: LabOptions = {}): Promise<Lab> {
  const root = await makeDebianRoot((text) => process.stderr.write(`${text}\n`));
  await removeStaleGroups();
  const disk = await attachDisk(root, options);
  let machine = await boot(disk);

  const enter = (...namespaces: string[]) => ['nsenter', '-t', `${machine.pid}`, ...namespaces];

  async function run(line: string, { input, timeoutMs, env }: RunOptions = {}): Promise<Outcome> {
    const variables = Object.entries({ PATH, HOME: '/root', LC_ALL: 'C.UTF-8', ...env });
    return await runCommand(
      [
        ...enter('-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w'),
        ...['env', '-i', ...variables.map(([name, value]) => `${name}=${value}`)],
        ...['timeout', '-k', `${KILL_AFTER_MS / 1000}`],
        `${(timeoutMs ?? COMMAND_TIMEOUT_MS) / 1000}`,
        ...['sh', '-c', line],
      ],
      input === undefined ? {} : { input },
    );
  }

  async function sh(line: string, runOptions: RunOptions = {}): Promise<string> {
    return outputOf(line, await run(line, runOptions)).replace(/\n$/, '');
  }

  return {
    run,
    sh,
    spawnOnItsNetwork: ([program = '', ...parameters]) => {
      const [nsenter = '', ...rest] = enter('-n');
      return spawn(nsenter, [...rest, program, ...parameters], {
        stdio: ['pipe', 'pipe', 'inherit'],
      });
    },
    async write(path, content) {
      await sh(`mkdir -p "$(dirname '${path}')" && cat > '${path}'`, { input: content });
    },
    async copyIn(from, to) {
      const [nsenter = '', ...rest] = enter('-m', '-r', '-w');
      await sh(`mkdir -p '${to}'`);
      await runOrThrow([
        'sh',
        '-c',
        'from=$1; shift; if [ -d "$from" ]; then tar -C "$from" -c .; else tar -C "$(dirname "$from")" -c "$(basename "$from")"; fi | "$@"',
        'sh',
        from,
        ...[nsenter, ...rest, 'tar', '-C', to, '-x', '--no-same-owner'],
      ]);
    },
    async reboot(how = 'in-order') {
      if (how === 'in-order') {
        await run('systemctl reboot');
        await machine.ended;
      }
      await machine.cut();
      machine = await boot(disk);
    },
    get pid() {
      return machine.pid;
    },
    async [Symbol.asyncDispose]() {
      await machine.cut();
      await disk.detach();
    },
  };
}

interface Disk {
  /** The process in whose mount namespace it is. */
  readonly holder: number;
  readonly root: string;
  detach(): Promise<void>;
}

async function attachDisk(root: string, { diskMiB = 4096, folders = {} }: LabOptions) {
  const folder = findInCache('disk'); // where it shows in its own namespace; here it stays empty
  await mkdir(folder, { recursive: true });
  const pairs = Object.entries(folders).flatMap(([inside, outside]) => [outside, inside]);
  const child = spawn(
    'unshare',
    ['--mount', 'sh', DISK_SCRIPT, root, folder, `${diskMiB}M`, ...pairs],
    // It lasts as long as its standard input is open, so it ends however this process does.
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const [text] = (await Promise.race([
    once(child.stdout, 'data'),
    once(child, 'exit').then(([code]) => [`exit status ${code}`]),
  ])) as [Buffer | string];
  if (text.toString().trim() !== 'ready' || child.pid === undefined) {
    throw new Error(`the lab's disk could not be made: ${text.toString().trim()}`);
  }
  const disk: Disk = {
    holder: child.pid,
    root: `${folder}/root`,
    async detach() {
      const exited = once(child, 'exit');
      child.stdin.end();
      await exited;
    },
  };
  return disk;
}

interface Machine {
  readonly pid: number;
  readonly ended: Promise<unknown>;
  /** Ends all its processes at once. */
  cut(): Promise<void>;
}

/** Returns when systemd has started all that it starts at boot. */
async function boot(disk: Disk): Promise<Machine> {
  const group = nameGroup();
  const command = [
    // It ends with this process however that ends, and the lab's process 1 with it (boot.sh).
    ...['setpriv', '--pdeathsig', 'KILL', 'nsenter', '-t', `${disk.holder}`, '-m'],
    ...['sh', BOOT_SCRIPT, 'outside', group, disk.root],
  ];
  const [program = '', ...parameters] = command;
  const child = spawn(program, parameters, { stdio: ['ignore', 'ignore', 'pipe'] });
  let complaints = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaints += text;
  });
  const ended = once(child, 'exit');
  const machine = {
    pid: 0,
    ended,
    async cut() {
      // Its parent then ends too, having taken note of its end; killed first it would leave a zombie.
      if (machine.pid !== 0 && child.exitCode === null && child.signalCode === null) {
        process.kill(machine.pid, 'SIGKILL');
      } else {
        child.kill('SIGKILL');
      }
      await ended;
      await removeGroup(group);
    },
  };
  const deadline = performance.now() + BOOT_TIMEOUT_MS;
  while (performance.now() < deadline && child.exitCode === null) {
    machine.pid = await findProcessOne(child.pid ?? 0);
    const state = machine.pid === 0 ? '' : await askState(machine.pid, deadline);
    if (/^(running|degraded)/.test(state)) {
      return machine;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  await machine.cut();
  throw new Error(`the lab did not boot: ${complaints.trim() || 'systemd was not ready in time'}`);
}

/** The only child of boot.sh's `unshare`, once it is systemd; else 0. */
async function findProcessOne(parent: number): Promise<number> {
  const children = await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8').catch(
    () => '',
  );
  const pid = Number(children.trim());
  const name = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '');
  return name.trim() === 'systemd' ? pid : 0;
}

async function askState(pid: number, deadline: number): Promise<string> {
  const seconds = Math.max(1, (deadline - performance.now()) / 1000);
  const { stdout } = await runCommand([
    ...['nsenter', '-t', `${pid}`, '-m', '-u', '-i', '-n', '-p', '-C', '-r', '-w'],
    ...['timeout', `${seconds}`, 'systemctl', 'is-system-running', '--wait'],
  ]);
  return stdout.trim();
}
