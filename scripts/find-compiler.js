/**
 * Finds a C++ compiler that does what is asked of it, by having it compile a few lines.
 *
 * Plain JavaScript for any Node >= 20, because it runs before the packages' own runtime is known.
 */
import { spawnSync } from 'node:child_process';

/**
 * Compiles a program of a few lines with a compiler and the arguments that go before all others.
 *
 * @param {string[]} compiler
 * @param {string[]} lines
 * @param {string[]} flags
 */
export function canBuild([command = '', ...given], lines, flags) {
  const { status, stderr } = spawnSync(
    command,
    [...given, '-x', 'c++', '-', '-o', '/dev/null', ...flags],
    { input: lines.join('\n'), encoding: 'utf8' },
  );
  return { ok: status === 0, firstError: (stderr ?? '').split('\n').find((line) => line !== '') };
}

/**
 * The compiler that the variable CXX names, a command and its first arguments as make takes them
 * (`CXX="ccache g++"`), else the first of `usual` that builds `program`.
 *
 * @param {{ usual: string[], packages: string, program?: string[], flags?: string[] }} wanted
 *   `packages` are Debian's that have it.
 * @returns {string[]} a command and the arguments that go before all others
 * @throws {Error} what was tried and how to get one
 */
export function findCompiler({
  usual,
  packages,
  program = ['int main() { return 0; }'],
  flags = [],
}) {
  const named = process.env.CXX?.trim();
  const candidates = (named ? [named] : usual).map((name) => name.split(/\s+/));
  let reason = '';
  for (const compiler of candidates) {
    const { ok, firstError } = canBuild(compiler, program, flags);
    if (ok) return compiler;
    reason ||= firstError ?? '';
  }
  const tried = candidates.map((words) => words.join(' ')).join(', ');
  throw new Error(
    `no C++ compiler works (tried ${tried}${reason && `: ${reason}`}); on Debian: apt-get install ${packages}`,
  );
}
