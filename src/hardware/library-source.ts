import { fileURLToPath } from 'node:url';
import type { Component, ComponentKind } from './components.ts';
import type { RunProgram } from './run-program.ts';

const PROGRAM = fileURLToPath(new URL('./library-main.ts', import.meta.url));

/** What the libraries are asked for: kinds, and the name of the root disk where it is known. */
export interface LibraryQuestion {
  readonly kinds: readonly ComponentKind[];
  readonly diskName?: string;
}

/**
 * Asks node-machine-id and systeminformation for what the system's files do not tell. Both start
 * programs of their own and have been seen to block for minutes, so they run in a process that is
 * ended at the deadline together with all it started.
 */
export async function askLibraries(
  { kinds, diskName = '' }: LibraryQuestion,
  run: RunProgram,
): Promise<readonly Component[]> {
  const answer = await run(process.execPath, [PROGRAM, kinds.join(','), diskName]);
  return answer === undefined ? [] : (JSON.parse(answer) as readonly Component[]);
}
