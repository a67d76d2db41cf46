import { constants } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { ok } from '../../core/result.ts';
import { cannotWrite, syncFolder } from '../write-file.ts';
import { makePrivateFolderOf } from './places.ts';
import { type Checked, type Problem, refuse } from './problems.ts';
import { parseRegisterEntry, type RegisterEntry } from './register-entry.ts';

export interface Register {
  readonly path: string;
  readonly entries: readonly RegisterEntry[];
  /** Numbers of lines whose writing was cut short: what they were to record never went out. */
  readonly cutLines: readonly number[];
}

export async function readRegister(
  path: string,
  { mayBeMissing = false } = {},
): Promise<Checked<Register>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT') {
      return refuse('DATA', `register ${path}: cannot be read (${code ?? message})`);
    }
    return mayBeMissing
      ? ok({ path, entries: [], cutLines: [] })
      : refuse(
          'NO_INPUT',
          `register ${path}: expected a file, found nothing there; see --register`,
        );
  }
  return parseRegister(path, text);
}

function parseRegister(path: string, text: string): Checked<Register> {
  const entries: RegisterEntry[] = [];
  const cutLines: number[] = [];
  const problems: Problem[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const json = parseLine(line);
    if (json === undefined) {
      cutLines.push(index + 1);
    } else if (json !== '') {
      const entry = parseRegisterEntry(json);
      if (entry.ok) {
        entries.push(entry.value);
      } else {
        problems.push({ exit: 'DATA', text: `register ${path}:${index + 1}: ${entry.error}` });
      }
    }
  }
  return problems.length === 0 ? ok({ path, entries, cutLines }) : { ok: false, error: problems };
}

/** Undefined for what is no JSON, as half an entry never is; '' for an empty line. */
function parseLine(line: string): unknown {
  try {
    return line === '' ? '' : JSON.parse(line);
  } catch {
    return undefined;
  }
}

const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT;
const LINE_FEED = 10;

/**
 * Adds entries and returns when they are on the disk. One write at the end of the file, so that
 * another process' entries stay whole; half a line left by a crash is closed first, never cut off.
 * Throws an OperatorError (OS).
 */
export async function appendToRegister(
  path: string,
  entries: readonly RegisterEntry[],
): Promise<void> {
  try {
    await makePrivateFolderOf(path);
    const file = await open(path, FLAGS, 0o600);
    try {
      const { size } = await file.stat();
      const last = Buffer.alloc(1);
      await file.read(last, 0, 1, Math.max(0, size - 1));
      const start = size > 0 && last[0] !== LINE_FEED ? '\n' : '';
      const lines = entries.map((entry) => `${JSON.stringify(entry)}\n`);
      await file.appendFile(`${start}${lines.join('')}`);
      await file.sync();
    } finally {
      await file.close();
    }
    await syncFolder(dirname(path));
  } catch (error) {
    throw cannotWrite(`register ${path}`, error);
  }
}
