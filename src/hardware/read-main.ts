/**
 * The process in which facts are read: `node read-main.ts ENDS_MS PROGRAMS_END_MS|-
 * [ROOT_DIGESTS_FILE]`, both times by `monotonicMs`; `-`: no programs are asked. Writes a `ReadAnswer` as a line of JSON;
 * raw values stay in here.
 */
import { writeSync } from 'node:fs';
import { err, ok } from '../core/result.ts';
import { readHost } from './host-reader.ts';
import { monotonicMs } from './monotonic.ts';
import type { ReadAnswer } from './reading-process.ts';
import type { RunProgram } from './run-program.ts';
import { hostFiles } from './system-files.ts';

const [, , endsMs, programsEndMs, rootDigestsFile] = process.argv;
// Whoever started this may be gone by then.
setTimeout(() => process.exit(1), Number(endsMs) - monotonicMs());

async function preparePrograms(): Promise<RunProgram> {
  if (programsEndMs === '-') return async () => undefined;
  const { runUntil } = await import('./run-program.ts');
  return runUntil(performance.now() + Number(programsEndMs) - monotonicMs());
}

async function read(): Promise<ReadAnswer> {
  try {
    const facts = await readHost({
      files: hostFiles,
      run: await preparePrograms(),
      isRoot: process.getuid?.() === 0,
      rootDigestsFile,
    });
    return ok(facts);
  } catch (error) {
    const { code, name } = error as NodeJS.ErrnoException;
    return err(code ?? name);
  }
}

const answer: Buffer = Buffer.from(`${JSON.stringify(await read())}\n`);
for (let written = 0; written < answer.length; ) {
  written += writeSync(process.stdout.fd, answer, written);
}
process.exit();
