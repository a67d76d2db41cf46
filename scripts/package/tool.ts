import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { OperatorError } from '../../src/core/errors.ts';

const run = promisify(execFile);
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;

/** Debian's packages that have the programs of a build. */
const packages: Readonly<Record<string, string>> = {
  git: 'git',
  gcc: 'gcc',
  strip: 'binutils',
  readelf: 'binutils',
  patchelf: 'patchelf',
  'dpkg-query': 'dpkg',
};

/**
 * Standard output of a program that the build needs. Throws an OperatorError that says how to get
 * the program, or what it complained of.
 */
export async function runTool(
  name: string,
  args: readonly string[],
  cwd?: string,
): Promise<string> {
  try {
    // In the C locale: what these programs print is read.
    const env = { ...process.env, LC_ALL: 'C' };
    const { stdout } = await run(name, args, { cwd, env, maxBuffer: MAX_OUTPUT_BYTES });
    return stdout;
  } catch (error) {
    const { code, stderr, message } = error as NodeJS.ErrnoException & { stderr?: string };
    if (code === 'ENOENT') {
      const remedy = packages[name] && `; on Debian: apt-get install ${packages[name]}`;
      throw new OperatorError('OS', `expected the program ${name}, found none${remedy ?? ''}`, {
        cause: error,
      });
    }
    const reason = (stderr ?? '').trim().split('\n')[0] || message;
    throw new OperatorError('SOFTWARE', `${name} failed: ${reason}`, { cause: error });
  }
}
