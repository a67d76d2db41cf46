/** Writes model folders as `models/README.md` describes them. */
import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { z } from 'zod';
import type { manifestSchema } from '../src/catalog/manifest.ts';

/** A manifest before it is read: keys with defaults may be left out. */
export type WrittenManifest = z.input<typeof manifestSchema>;

/**
 * Writes `files` and a manifest with their SHA-256 into `folder`, which is made when needed.
 * Entries that `manifest.files` already has are kept as they are.
 */
export async function writeModelFolder(
  folder: string,
  manifest: WrittenManifest,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  const hashes: Record<string, string> = {};
  for (const [name, content] of files) {
    const path = join(folder, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
    hashes[name] = createHash('sha256').update(content).digest('hex');
  }
  const complete = { ...manifest, files: { ...hashes, ...manifest.files } };
  await writeFile(join(folder, 'manifest.json'), `${JSON.stringify(complete, null, 2)}\n`);
}
