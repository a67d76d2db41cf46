import { execFile } from 'node:child_process';
import { copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readPackageInfo } from '../../src/platform/package-info.ts';
import type { Peer } from './peer.ts';

const run = promisify(execFile);

/** The requirements are pinned for this one; Triton's package has a backend for it too. */
const PYTHON = '3.11';
/** Debian's own first: it is built with profiles, and it has the library that Triton's backend loads. */
const CANDIDATES = ['/usr/bin/python3.11', '/usr/bin/python3', 'python3.11', 'python3'];
const INSTALL_TIMEOUT_MS = 15 * 60_000;

/** A Python that can make environments, as a command; the error says what was found and is needed. */
async function findPython(): Promise<string> {
  const found: string[] = [];
  for (const candidate of CANDIDATES) {
    const program = 'import ensurepip, sys, venv; print("%d.%d" % sys.version_info[:2])';
    const outcome = await run(candidate, ['-c', program]).then(
      ({ stdout }) => stdout.trim(),
      (error) => lastLine(error.stderr ?? '') || error.code,
    );
    if (outcome === PYTHON) {
      return candidate;
    }
    found.push(`${candidate}: ${outcome}`);
  }
  throw new Error(
    `Python ${PYTHON} with its venv module is needed for the peers; found ${found.join(', ')}. ` +
      'On Debian 12: apt-get install python3 python3-venv',
  );
}

/**
 * Makes the virtual environment `folder` from a peer's `requirements.txt`, or keeps the one there
 * when it was made from the same; gives its `bin` folder.
 */
export async function setUpEnvironment(folder: string, { name }: Peer): Promise<string> {
  const requirements = fileURLToPath(new URL(`${name}/requirements.txt`, import.meta.url));
  const bin = join(folder, 'bin');
  const stamp = join(folder, 'installed-requirements.txt');
  const wanted = await readFile(requirements, 'utf8');
  const installed = await readFile(stamp, 'utf8').catch(() => undefined); // none yet
  if (installed !== wanted) {
    await rm(folder, { recursive: true, force: true });
    await run(await findPython(), ['-m', 'venv', folder]);
    const install = ['-m', 'pip', 'install', '--quiet', '--no-input', '-r', requirements];
    await run(join(bin, 'python'), install, { timeout: INSTALL_TIMEOUT_MS }).catch((error) => {
      throw new Error(`pip could not install ${requirements}: ${lastLine(error.stderr)}`);
    });
    await copyFile(requirements, stamp);
  }
  return bin;
}

/** Versions of this project's own packages, itself among them, as `NAME VERSION`. */
export async function readNodeVersions(packages: readonly string[]): Promise<string[]> {
  const { root } = readPackageInfo();
  return Promise.all(
    packages.map(async (name) => {
      const folder = name === 'edge-infer' ? root : join(root, 'node_modules', name);
      const manifest = await readFile(join(folder, 'package.json'), 'utf8');
      return `${name} ${JSON.parse(manifest).version}`;
    }),
  );
}

/** Versions of the named packages in an environment, as `NAME VERSION`. */
export async function readPythonVersions(
  bin: string,
  packages: readonly string[],
): Promise<string[]> {
  const program = 'import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))';
  const { stdout } = await run(join(bin, 'python'), ['-c', program, ...packages]);
  const versions = stdout.trim().split(' ');
  return packages.map((name, index) => `${name} ${versions[index]}`);
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? '';
}
