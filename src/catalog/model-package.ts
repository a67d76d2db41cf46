import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { err, ok, type Result } from '../core/result.ts';
import { parseLabels } from './labels.ts';
import { type Manifest, manifestSchema } from './manifest.ts';

/** A model folder whose manifest is valid and whose files are what the manifest says. */
export interface ModelPackage {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly modelFile: string;
  readonly modelSha256: string;
  /** Class names in class order, by language. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

const MANIFEST_FILE = 'manifest.json';
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;
const GIT_LFS_POINTER = 'version https://git-lfs.github.com/spec/';

/** Resolves a configured model, a folder name under `modelsDir` or a path, to its folder. */
export function findModelFolder(modelsDir: string, model: string): string {
  return isAbsolute(model) ? model : join(modelsDir, model);
}

/**
 * Reads and checks a model folder: the manifest's form, every file's SHA-256, the label files.
 * Returns every problem found, each a sentence that names the file and what was expected.
 */
export async function loadModelPackage(folder: string): Promise<Result<ModelPackage, string[]>> {
  const manifest = await loadManifest(join(folder, MANIFEST_FILE));
  if (!manifest.ok) {
    return manifest;
  }
  const fileProblems = await Promise.all(
    Object.entries(manifest.value.files).map(([file, sha256]) =>
      checkFile(folder, file, sha256, file === manifest.value.model),
    ),
  );
  const problems = fileProblems.filter((problem) => problem !== undefined);
  if (problems.length > 0) {
    return err(problems);
  }
  const labels = new Map<string, readonly string[]>();
  for (const [language, file] of Object.entries(manifest.value.labels)) {
    const parsed = parseLabels(file, await readFile(join(folder, file), 'utf8'));
    if (parsed.ok) {
      labels.set(language, parsed.value);
    } else {
      problems.push(parsed.error);
    }
  }
  if (problems.length > 0) {
    return err(problems);
  }
  const { model, files } = manifest.value;
  return ok({
    folder,
    manifest: manifest.value,
    modelFile: join(folder, model),
    modelSha256: files[model] ?? '',
    labels,
  });
}

async function loadManifest(path: string): Promise<Result<Manifest, string[]>> {
  let text: string;
  try {
    const file = await open(path);
    try {
      const { size } = await file.stat();
      if (size > MAX_MANIFEST_BYTES) {
        return err([`${path}: expected at most ${MAX_MANIFEST_BYTES} bytes, found ${size}`]);
      }
      text = await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    return err([describeReadError(path, error)]);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return err([`${path}: expected JSON, found: ${(error as Error).message}`]);
  }
  const parsed = manifestSchema.safeParse(json);
  if (!parsed.success) {
    return err(
      parsed.error.issues.map((issue) => `${path}: ${issue.path.join('.')}: ${issue.message}`),
    );
  }
  return ok(parsed.data);
}

async function checkFile(
  folder: string,
  file: string,
  expectedSha256: string,
  isModel: boolean,
): Promise<string | undefined> {
  const path = join(folder, file);
  try {
    if (isModel && (await isGitLfsPointer(path))) {
      return `${path}: is a Git LFS pointer, not the model itself; run "git lfs pull" where it came from and copy the file again`;
    }
    const found = await hashFile(path);
    if (found !== expectedSha256) {
      return `${path}: expected SHA-256 ${expectedSha256}, found ${found}; the file was changed, cut short or damaged in copying`;
    }
  } catch (error) {
    return describeReadError(path, error);
  }
  return undefined;
}

/** SHA-256 of a file as lower-case hex, read in pieces. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}

async function isGitLfsPointer(path: string): Promise<boolean> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(
      Buffer.alloc(GIT_LFS_POINTER.length),
      0,
      GIT_LFS_POINTER.length,
      0,
    );
    return buffer.toString('latin1', 0, bytesRead) === GIT_LFS_POINTER;
  } finally {
    await file.close();
  }
}

function describeReadError(path: string, error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT') {
    return `${path}: expected this file, found nothing there`;
  }
  if (code === 'EACCES' || code === 'EPERM') {
    return `${path}: cannot be read by this user; give it read permission`;
  }
  return `${basename(path)}: cannot be read (${code ?? 'unknown error'})`;
}
