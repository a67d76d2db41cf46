import { readFile, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { parseLabels } from '../../catalog/labels.ts';
import type { Manifest } from '../../catalog/manifest.ts';
import { listVariants, type Variant } from '../../catalog/variants.ts';
import { readManifest } from './manifest-file.ts';

/** What can be told of a model folder without hashing its files or loading the graph. */
export interface ModelSummary {
  /** The folder's name, by which the configuration and the command line call the model. */
  readonly folder: string;
  readonly name?: string;
  readonly version?: string;
  readonly task?: string;
  readonly input?: Pick<Manifest['input'], 'width' | 'height' | 'colour' | 'elementType'>;
  /** The reference first, then the others with what they need and how they compare with it. */
  readonly variants?: readonly Pick<Variant, 'name' | 'needs' | 'agreement'>[];
  readonly classes?: number;
  /** All files of the model together. */
  readonly bytes?: number;
  readonly problems: readonly string[];
}

export async function summarizeModel(folder: string): Promise<ModelSummary> {
  const manifest = await readManifest(folder);
  if (!manifest.ok) {
    return { folder: basename(folder), problems: [manifest.error] };
  }
  const { name, version, task, input } = manifest.value;
  const { width, height, colour, elementType } = input;
  const problems: string[] = [];
  const bytes = await sumSizes(folder, manifest.value, problems);
  const classes = await countClasses(folder, manifest.value, problems);
  return {
    folder: basename(folder),
    name,
    version,
    task,
    input: { width, height, colour, elementType },
    variants: listVariants(manifest.value).map(({ model: _, golden: __, ...variant }) => variant),
    ...(classes === undefined ? {} : { classes }),
    bytes,
    problems,
  };
}

async function sumSizes(folder: string, manifest: Manifest, problems: string[]): Promise<number> {
  let sum = 0;
  for (const file of Object.keys(manifest.files)) {
    try {
      sum += (await stat(join(folder, file))).size;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      problems.push(
        code === 'ENOENT' ? `${file} is missing` : `${file} cannot be looked at (${code})`,
      );
    }
  }
  return sum;
}

async function countClasses(
  folder: string,
  manifest: Manifest,
  problems: string[],
): Promise<number | undefined> {
  const [file = ''] = Object.values(manifest.labels);
  let bytes: Uint8Array;
  try {
    bytes = await readFile(join(folder, file));
  } catch {
    return undefined; // a missing file is among the problems already
  }
  const labels = parseLabels(file, bytes);
  if (!labels.ok) {
    problems.push(labels.error);
    return undefined;
  }
  return labels.value.length;
}
