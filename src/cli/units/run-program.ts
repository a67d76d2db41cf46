import { execFile } from 'node:child_process';
import { err, ok, type Result } from '../../core/result.ts';

const TIMEOUT_MS = 5_000;
const MAX_OUTPUT_BYTES = 4 * 1024 * 1024;
/** A user's PATH often lacks where administration lies. */
const FURTHER_PATH = '/usr/sbin:/usr/bin:/sbin:/bin';

/** Runs a program of the system and returns its standard output; the error is a sentence's end. */
export type RunProgram = (
  program: string,
  ...programArguments: readonly string[]
) => Promise<Result<string, string>>;

export const runProgram: RunProgram = (program, ...programArguments) =>
  new Promise((resolve) => {
    const { PATH = '' } = process.env;
    execFile(
      program,
      programArguments,
      {
        env: { PATH: `${PATH}:${FURTHER_PATH}`, LC_ALL: 'C', TZ: 'UTC', SYSTEMD_COLORS: '0' },
        timeout: TIMEOUT_MS,
        killSignal: 'SIGKILL',
        maxBuffer: MAX_OUTPUT_BYTES,
      },
      (error, stdout, stderr) =>
        resolve(error === null ? ok(stdout) : err(describe(program, error, stderr))),
    );
  });

function describe(
  program: string,
  error: Error & { code?: unknown; killed?: boolean },
  stderr: string,
): string {
  if (error.code === 'ENOENT') {
    return `there is no ${program} on this host`;
  }
  if (error.killed === true) {
    return `${program} did not answer within ${TIMEOUT_MS / 1000} s`;
  }
  const [firstLine = ''] = stderr.trim().split('\n');
  return `${program} failed (${firstLine || String(error.code)})`;
}
