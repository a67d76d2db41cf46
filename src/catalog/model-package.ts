import { createHash } from 'node:crypto';
import { open, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, posix } from 'node:path';
import { err, ok, type Result } from '../core/result.ts';
import { findExternalData } from './external-data.ts';
import { parseLabels } from './labels.ts';
import { type Manifest, manifestSchema } from './manifest.ts';
import { describeManifestIssues } from './manifest-problems.ts';
import { describeReadError, findFileProblem } from './model-files.ts';
import { type ChosenVariant, chooseVariant, manifestOfVariant } from './variants.ts';

/** A model folder whose manifest is valid and whose files, those of one variant, are what it says. */
export interface ModelPackage {
  readonly folder: string;
  readonly variant: ChosenVariant;
  /** As if the model had no other variant. */
  readonly manifest: Manifest;
  readonly modelFile: string;
  readonly modelSha256: string;
  /** Changes with the graph and with every file of weights beside it. */
  readonly weightsSha256: string;
  /** Class names in class order, by language. */
  readonly labels: ReadonlyMap<string, readonly string[]>;
}

const MANIFEST_FILE = 'manifest.json';
const MAX_MANIFEST_BYTES = 16 * 1024 * 1024;

/** Resolves a configured model, a folder name under `modelsDir` or a path, to its folder. */
export function findModelFolder(modelsDir: string, model: string): string {
  return isAbsolute(model) ? model : join(modelsDir, model);
}

/** Decides which variant of a model to load; the error says why it can be none. */
export type ChooseVariant = (manifest: Manifest) => Result<ChosenVariant, string>;

/**
 * Reads and checks a model folder: the manifest's form, the SHA-256 of every file that the chosen
 * variant consists of, the label files. Returns every problem found, each a sentence that names
 * the file and what was expected. Files of other variants are not looked at.
 */
export async function loadModelPackage(
  folder: string,
  choose: ChooseVariant = chooseReference,
): Promise<Result<ModelPackage, string[]>> {
  const manifest = await loadManifest(join(folder, MANIFEST_FILE));
  if (!manifest.ok) {
    return manifest;
  }
  const variant = choose(manifest.value);
  if (!variant.ok) {
    return err([variant.error]);
  }
  try {
    const ofVariant = manifestOfVariant(manifest.value, variant.value.name);
    return await loadFiles(folder, ofVariant, variant.value);
  } catch (error) {
    return err([describeReadError(folder, error)]); // a file went away between two looks at it
  }
}

async function loadFiles(
  folder: string,
  manifest: Manifest,
  variant: ChosenVariant,
): Promise<Result<ModelPackage, string[]>> {
  const { model, files } = manifest;
  const problems: string[] = [];
  const unusable = new Set<string>();
  async function checkFile(file: string): Promise<void> {
    const problem = await findFileProblem(folder, file, files[file] ?? '');
    if (problem !== undefined) {
      unusable.add(file);
      problems.push(problem);
    }
  }
  const images = manifest.golden.examples.map(({ image }) => image);
  const named = new Set([model, ...Object.values(manifest.labels), ...images]);
  await Promise.all([...named].map(checkFile));
  const labels = new Map<string, readonly string[]>();
  for (const [language, file] of Object.entries(manifest.labels)) {
    if (unusable.has(file)) {
      continue;
    }
    const path = join(folder, file);
    const parsed = parseLabels(path, await readFile(path));
    if (parsed.ok) {
      labels.set(language, parsed.value);
    } else {
      problems.push(parsed.error);
    }
  }
  const external = unusable.has(model) ? [] : await listExternalFiles(folder, model);
  for (const file of external.filter((name) => !Object.hasOwn(files, name))) {
    problems.push(
      `${join(folder, MANIFEST_FILE)}: files: expected the SHA-256 of ${file}, in which ${model} keeps weights, found no entry for it`,
    );
  }
  await Promise.all(external.filter((name) => Object.hasOwn(files, name)).map(checkFile));
  return problems.length > 0
    ? err(problems.sort())
    : ok({
        folder,
        variant,
        manifest,
        modelFile: join(folder, model),
        modelSha256: files[model] ?? '',
        weightsSha256: hashTogether([files[model], external.map((file) => [file, files[file]])]),
        labels,
      });
}

function chooseReference(manifest: Manifest): Result<ChosenVariant, string> {
  return chooseVariant(manifest, manifest.variant, {
    device: 'auto',
    hasCudaProvider: false,
    cpuFeatures: [],
  });
}

/** The model's external data as names in the manifest's `files`. */
async function listExternalFiles(folder: string, model: string): Promise<string[]> {
  const names = await findExternalData(join(folder, model));
  return names.map((name) => posix.join(dirname(model), name));
}

function hashTogether(parts: unknown): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
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
    json = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    return err([`${path}: expected JSON, found: ${(error as Error).message}`]);
  }
  const parsed = manifestSchema.safeParse(json);
  return parsed.success
    ? ok(parsed.data)
    : err(describeManifestIssues(parsed.error.issues, json).map((issue) => `${path}: ${issue}`));
}
