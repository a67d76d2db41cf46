import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type Manifest, manifestSchema } from '../../catalog/manifest.ts';
import { describeManifestIssues } from '../../catalog/manifest-problems.ts';
import { err, ok, type Result } from '../../core/result.ts';

/** A manifest takes a few KiB; beyond this it is some other file. */
const MAX_MANIFEST_BYTES = 16 * 1024 ** 2;

/** Reads a model folder's manifest and nothing else; the error is one short sentence. */
export async function readManifest(folder: string): Promise<Result<Manifest, string>> {
  const path = join(folder, 'manifest.json');
  try {
    const { size } = await stat(path);
    if (size > MAX_MANIFEST_BYTES) {
      return err(`manifest.json has ${size} bytes, too many for a manifest`);
    }
    const text = await readFile(path, 'utf8');
    const json: unknown = JSON.parse(text.replace(/^\uFEFF/, ''));
    const parsed = manifestSchema.safeParse(json);
    if (parsed.success) {
      return ok(parsed.data);
    }
    const [first, ...others] = describeManifestIssues(parsed.error.issues, json);
    const more = others.length > 0 ? ` (and ${others.length} more)` : '';
    return err(`manifest.json: ${first}${more}`);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === undefined) {
      return err('manifest.json is not JSON');
    }
    return err(code === 'ENOENT' ? 'no manifest.json' : `manifest.json cannot be read (${code})`);
  }
}
