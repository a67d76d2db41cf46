import { createHash, randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, open, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import { hashFile } from './model-package.ts';

export const PREPARED_GRAPH_FILE = 'graph.onnx';
export const PREPARED_WEIGHTS_FILE = 'weights.bin';
const RECORD_FILE = 'prepared.json';
/** Raised when the way of preparing changes, so that older forms are not taken for new ones. */
const FORM_VERSION = 1;

const recordSchema = z.strictObject({
  files: z.record(z.string(), z.string()),
});

/** What a prepared form depends on: with any other of these it is another form. */
export interface PreparedKey {
  readonly modelSha256: string;
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
 * changed afterwards: running workers have it mapped. The error says why there is none; the
 * model's own file then does as well.
 */
export async function ensurePrepared(
  stateDir: string,
  key: PreparedKey,
  prepare: Prepare,
): Promise<Result<PreparedModel, string>> {
  const folder = join(stateDir, 'prepared', hashKey(key));
  const graphFile = join(folder, PREPARED_GRAPH_FILE);
  try {
    if (await isIntact(folder)) {
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
      await replaceFolder(folder, candidate);
    } finally {
      await rm(candidate, { recursive: true, force: true });
    }
    return ok({ graphFile, wasCached: false });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return err(`the state folder ${stateDir} cannot be used (${code ?? message})`);
  }
}

function hashKey(key: PreparedKey): string {
  const text = JSON.stringify([FORM_VERSION, key.modelSha256, key.runtimeVersion, key.cpuFeatures]);
  return createHash('sha256').update(text).digest('hex').slice(0, 32);
}

async function isIntact(folder: string): Promise<boolean> {
  const recordFile = join(folder, RECORD_FILE);
  if (!existsSync(recordFile)) {
    return false;
  }
  try {
    const record = recordSchema.parse(JSON.parse(await readFile(recordFile, 'utf8')));
    const files = Object.entries(record.files);
    const hashes = await Promise.all(files.map(([file]) => hashFile(join(folder, file))));
    return files.length > 0 && files.every(([, sha256], i) => hashes[i] === sha256);
  } catch {
    return false; // unreadable counts as damaged: it is made anew
  }
}

/** Hashes what was made, and sees to it that it is on the disk before it gets its name. */
async function writeRecord(folder: string): Promise<void> {
  const files: Record<string, string> = {};
  for (const file of [PREPARED_GRAPH_FILE, PREPARED_WEIGHTS_FILE]) {
    const path = join(folder, file);
    if (existsSync(path)) {
      const handle = await open(path, 'r');
      await handle.sync();
      await handle.close();
      files[file] = await hashFile(path);
    }
  }
  await writeFile(join(folder, RECORD_FILE), JSON.stringify({ files }), { flush: true });
}

/** A damaged folder moves aside first; its files live on for whoever has them mapped. */
async function replaceFolder(folder: string, candidate: string): Promise<void> {
  const damaged = `${folder}.${randomUUID()}.old`;
  try {
    await rename(folder, damaged);
    await rm(damaged, { recursive: true, force: true });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') {
      throw error;
    }
  }
  await rename(candidate, folder);
}
