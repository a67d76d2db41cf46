import { createHash, randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import { hashFile } from './model-files.ts';
import { PREPARED_GRAPH_FILE, PREPARED_WEIGHTS_FILE } from './prepared-form.ts';
import { markUsed, pruneForms } from './prepared-pruning.ts';

const RECORD_FILE = 'prepared.json';
/** Raised when the way of preparing changes, so that older forms are not taken for new ones. */
const FORM_VERSION = 3;
const MAX_ATTEMPTS = 3;

const recordSchema = z.strictObject({
  files: z.record(z.string(), z.string()),
});

/** What a prepared form depends on: with any other of these it is another form. */
export interface PreparedKey {
  /** Changes with the graph and with its weights, wherever they lie. */
  readonly weightsSha256: string;
  readonly runtimeVersion: string;
  readonly cpuFeatures: string;
}

export interface PreparedModel {
  readonly graphFile: string;
  /** False when the form had to be made now. */
  readonly wasCached: boolean;
}

/** Writes graph and weights into an empty folder. */
export type Prepare = (targetFolder: string) => Promise<Result<true, string>>;

/**
 * Returns a model's prepared form under `stateDir`, made by `prepare` when there is none or when
 * what is there is damaged. A form is written to a new name and renamed when complete, and never
 * changed afterwards: running workers have it mapped. Several processes may do so at once. The
 * error says why there is none; the model's own file then does as well.
 */
export async function ensurePrepared(
  stateDir: string,
  key: PreparedKey,
  prepare: Prepare,
): Promise<Result<PreparedModel, string>> {
  const root = join(stateDir, 'prepared');
  const folder = join(root, hashKey(key));
  const graphFile = join(folder, PREPARED_GRAPH_FILE);
  try {
    if (await isIntact(folder)) {
      await markUsed(folder);
      return ok({ graphFile, wasCached: true });
    }
    const candidate = `${folder}.${randomUUID()}.new`;
    await mkdir(candidate, { recursive: true });
    try {
      const prepared = await prepare(candidate);
      if (!prepared.ok) {
        return prepared;
      }
      await writeRecord(candidate);
      await publish(candidate, folder);
    } finally {
      await rm(candidate, { recursive: true, force: true });
    }
    await markUsed(folder);
    await pruneForms(root, folder);
    return ok({ graphFile, wasCached: false });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return err(`the state folder ${stateDir} cannot be used (${code ?? message})`);
  }
}

function hashKey(key: PreparedKey): string {
  const parts = [FORM_VERSION, key.weightsSha256, key.runtimeVersion, key.cpuFeatures];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 32);
}

/** Every byte is checked: one wrong weight would give wrong answers without any error. */
async function isIntact(folder: string): Promise<boolean> {
  try {
    const record = recordSchema.parse(
      JSON.parse(await readFile(join(folder, RECORD_FILE), 'utf8')),
    );
    const files = Object.entries(record.files);
    const hashes = await Promise.all(files.map(([file]) => hashFile(join(folder, file))));
    return files.length > 0 && files.every(([, sha256], i) => hashes[i] === sha256);
  } catch {
    return false; // missing or unreadable: it is made anew
  }
}

/** Hashes what was made, and sees to it that it is on the disk before it gets its name. */
async function writeRecord(folder: string): Promise<void> {
  const files: Record<string, string> = {};
  for (const file of [PREPARED_GRAPH_FILE, PREPARED_WEIGHTS_FILE]) {
    const path = join(folder, file);
    // A model without larger weights has no file of them.
    if (await flushIfThere(path)) {
      files[file] = await hashFile(path);
    }
  }
  await writeFile(join(folder, RECORD_FILE), JSON.stringify({ files }), { flush: true });
  await flushIfThere(folder);
}

/**
 * Gives a complete form its name. Where another process was faster its form is kept and this one
 * dropped. A damaged form moves aside first; its files live on for whoever has them mapped.
 */
async function publish(candidate: string, folder: string): Promise<void> {
  for (let attempt = 1; !(await renameUnlessTaken(candidate, folder)); attempt++) {
    if (await isIntact(folder)) {
      return;
    }
    if (attempt === MAX_ATTEMPTS) {
      throw new Error(`${folder} is damaged and cannot be replaced`);
    }
    const damaged = `${folder}.${randomUUID()}.old`;
    await renameIfThere(folder, damaged);
    await rm(damaged, { recursive: true, force: true });
  }
  await flushIfThere(join(folder, '..'));
}

async function renameUnlessTaken(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTEMPTY' || code === 'EEXIST' || code === 'ENOTDIR') {
      return false;
    }
    throw error;
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
  }
}

/** Waits until a file's content, or a folder's list of names, is on the disk. */
async function flushIfThere(path: string): Promise<boolean> {
  try {
    await using handle = await open(path, 'r');
    await handle.sync();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      return false;
    }
    throw error;
  }
}
