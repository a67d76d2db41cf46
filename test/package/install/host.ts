import { spawnSync } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../support/server.ts';

/** Every program by which the installer changes something: between two of them nothing changes. */
const changing = ['chmod', 'cp', 'ln', 'mkdir', 'mv', 'rm', 'rmdir', 'sync', 'systemctl', 'tar'];
const folders = ['opt', 'etc', 'var', 'run', 'usr/local'];

export interface HostRun {
  readonly code: number | null;
  readonly output: string;
  /** How many changing programs were called. */
  readonly steps: number;
}

/** Folders that stand in for this host's /opt, /etc, /var, /run and /usr/local, for one process at a time. */
export interface FakeHost extends AsyncDisposable {
  readonly root: string;
  /** Runs a command; with `cutAt` all of it is killed just before its n-th change. */
  run(command: readonly string[], cutAt?: number): HostRun;
  boot(): HostRun;
  /** Keeps the host's folders as they are now, to have them back before each cut. */
  keep(): void;
  restore(): void;
}

export async function makeFakeHost(shell: 'dash' | 'busybox'): Promise<FakeHost> {
  const root = await mkdtemp(join(tmpdir(), 'edge-infer-install-'));
  for (const folder of [
    ...folders,
    'bin',
    'run/systemd/system',
    'var/lib',
    'var/log',
    'usr/local/bin',
  ]) {
    await mkdir(join(root, folder), { recursive: true });
  }
  await mkdir(join(root, 'etc/systemd/system'), { recursive: true });
  for (const name of ['passwd', 'group', 'nsswitch.conf', 'ld.so.cache', 'hosts', 'alternatives']) {
    await cp(join('/etc', name), join(root, 'etc', name), {
      recursive: true,
      verbatimSymlinks: true,
    }).catch(() => undefined);
  }
  const fake = join(root, 'bin/real-systemctl');
  await cp(join(packageRoot, 'test/package/install/fake-systemctl.sh'), fake);
  await chmod(fake, 0o755);
  for (const name of changing) {
    const program =
      name === 'systemctl'
        ? fake
        : spawnSync('sh', ['-c', `command -v ${name}`])
            .stdout.toString()
            .trim();
    await program_(
      join(root, 'bin', name),
      `case "${name} $1" in 'systemctl show' | 'systemctl is-active' | 'systemctl --version') exec ${program} "$@" ;; esac
echo >>"$STEPS"
# At least: two programs of a pipe may have counted themselves at once.
if [ "$CUT_AT" != 0 ] && [ "$(wc -l <"$STEPS")" -ge "$CUT_AT" ]; then
  kill -9 0
fi
exec ${program} "$@"
`,
    );
  }
  await program_(join(root, 'bin/sleep'), 'exit 0\n');
  await program_(join(root, 'bin/journalctl'), 'echo a line of the journal\n');
  await program_(
    join(root, 'bin/sh'),
    `exec ${shell === 'dash' ? '/bin/dash' : '/bin/busybox sh'} "$@"\n`,
  );

  async function program_(path: string, text: string): Promise<void> {
    await writeFile(path, `#!/bin/dash\n${text}`);
    await chmod(path, 0o755);
  }

  function run(command: readonly string[], cutAt = 0): HostRun {
    const binds = folders.map((folder) => `mount --bind ${root}/${folder} /${folder}`).join(' && ');
    const { status, stdout, stderr } = spawnSync(
      'unshare',
      [
        '--mount',
        'setsid',
        '--wait',
        '/bin/sh',
        '-c',
        `: >${root}/steps; ${binds} && exec env PATH=${root}/bin:$PATH "$@"`,
        'sh',
        ...command,
      ],
      {
        env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', STEPS: `${root}/steps`, CUT_AT: `${cutAt}` },
        timeout: 60_000,
      },
    );
    const steps = spawnSync('wc', ['-l', `${root}/steps`]).stdout.toString();
    return { code: status, output: `${stdout}${stderr}`, steps: Number.parseInt(steps, 10) };
  }

  return {
    root,
    run,
    boot: () => run([join(root, 'bin/real-systemctl'), 'boot']),
    keep: () => copyFolders(root, join(root, 'kept')),
    restore() {
      run([join(root, 'bin/real-systemctl'), 'stop']);
      copyFolders(join(root, 'kept'), root);
      run([join(root, 'bin/real-systemctl'), 'boot']);
    },
    async [Symbol.asyncDispose]() {
      run([join(root, 'bin/real-systemctl'), 'stop']);
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The version that answers on the administration port; undefined where none does. */
export async function askVersion(adminPort: number): Promise<string | undefined> {
  for (let tries = 0; tries < 100; tries++) {
    try {
      const response = await fetch(`http://127.0.0.1:${adminPort}/readyz`, {
        headers: { connection: 'close' },
      });
      return ((await response.json()) as { version: string }).version;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
  return undefined;
}

export async function listReleases(host: FakeHost): Promise<string[]> {
  return (await readdir(join(host.root, 'opt/edge-infer/releases'))).sort();
}

function copyFolders(from: string, to: string): void {
  const lines = folders.map(
    (folder) =>
      `rm -rf ${to}/${folder} && mkdir -p ${to}/${folder} && cp -a ${from}/${folder}/. ${to}/${folder}`,
  );
  spawnSync('sh', ['-ec', lines.join('\n')]);
}
