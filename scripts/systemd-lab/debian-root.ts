/** The Debian root that the lab boots: made once, then kept. */
import { createHash } from 'node:crypto';
import { access, mkdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runCommand, runOrThrow } from './command.ts';

const SUITE = process.env.EDGE_INFER_LAB_SUITE ?? 'bookworm';

/** What hosts have and `minbase` lacks, and nothing that the release has to bring along. */
const packages = [
  ...['systemd', 'systemd-sysv', 'libnss-systemd', 'dbus'],
  ...['iproute2', 'procps', 'curl', 'openssl', 'nginx-light'],
  // The system's clock belongs to no namespace, so a wrong one can only be played to programs.
  'faketime',
];

const cacheFolder = join(
  process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'),
  'edge-infer/systemd-lab',
);

/** Where the lab keeps what outlasts a run. */
export function findInCache(name: string): string {
  return join(cacheFolder, name);
}

/** Returns the folder of the root, which nobody may write to; made first where it is missing. */
export async function makeDebianRoot(tell: (text: string) => void): Promise<string> {
  const key = createHash('sha256')
    .update([SUITE, ...packages].join())
    .digest('hex')
    .slice(0, 12);
  const root = findInCache(`root-${SUITE}-${key}`);
  if (await exists(root)) {
    return root;
  }
  const building = `${root}.${process.pid}`;
  await mkdir(cacheFolder, { recursive: true });
  try {
    await installDebootstrap(tell);
    tell(`systemd-lab: making a Debian ${SUITE} root in ${root} (once, about a minute)`);
    await runOrThrow(
      [
        'debootstrap',
        '--variant=minbase',
        `--include=${packages.join()}`,
        SUITE,
        building,
        ...(process.env.EDGE_INFER_LAB_MIRROR?.split(' ') ?? []),
      ],
      { onOutput: tellSteps(tell) },
    );
    // A web server that the tests start themselves.
    await runOrThrow(['systemctl', `--root=${building}`, 'disable', 'nginx.service']);
    await rm(join(building, 'var/cache/apt/archives'), { recursive: true, force: true });
    await rename(building, root).catch(async (error: NodeJS.ErrnoException) => {
      if (!(await exists(root))) {
        throw error;
      }
    });
  } finally {
    await rm(building, { recursive: true, force: true });
  }
  return root;
}

async function installDebootstrap(tell: (text: string) => void): Promise<void> {
  const found = await runCommand(['sh', '-c', 'command -v debootstrap']);
  if (found.code === 0) {
    return;
  }
  tell('systemd-lab: installing debootstrap');
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  await runOrThrow(['apt-get', 'update', '-qq'], { env });
  await runOrThrow(['apt-get', 'install', '-y', '-qq', 'debootstrap'], { env });
}

/** debootstrap writes a line a package; every 25th shows that it goes on. */
function tellSteps(tell: (text: string) => void): (text: string) => void {
  let lines = 0;
  return (text) => {
    for (const line of text.split('\n').filter((each) => each.startsWith('I: '))) {
      if (lines++ % 25 === 0) {
        tell(`systemd-lab: ${line.slice(3)}`);
      }
    }
  };
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
