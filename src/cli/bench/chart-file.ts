import { rename, rm, stat, writeFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { OperatorError } from '../../core/errors.ts';

/** Throws an OperatorError when a file cannot be written there. */
export async function checkChartFile(path: string): Promise<void> {
  if ((await stat(path).catch(() => undefined))?.isDirectory()) {
    throw cannotWrite(path, new Error('it is a folder'));
  }
  const part = partOf(path);
  try {
    await writeFile(part, '');
    await rm(part);
  } catch (error) {
    throw cannotWrite(path, error as Error);
  }
}

/** Writes the whole chart or nothing: a file that was there before is replaced at the end. */
export async function writeChartFile(path: string, text: string): Promise<void> {
  const part = partOf(path);
  try {
    await writeFile(part, text);
    await rename(part, path);
  } catch (error) {
    await rm(part, { force: true });
    throw cannotWrite(path, error as Error);
  }
}

function partOf(path: string): string {
  return `${resolve(path)}.${process.pid}.part`;
}

function cannotWrite(path: string, cause: Error): OperatorError {
  return new OperatorError('OS', `--chart ${path} cannot be written: ${cause.message}`, { cause });
}
