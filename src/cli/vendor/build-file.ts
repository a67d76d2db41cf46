import { ok } from '../../core/result.ts';
import { type LicenseBuild, parseBuildFile, readLicenseBuild } from '../../licensing/build-keys.ts';
import type { KeyEntry } from './key-file.ts';
import { type Checked, refuse } from './problems.ts';
import { readNamedFile } from './read-file.ts';

const MAX_BUILD_FILE_BYTES = 64 * 1024;

export async function readBuild(path: string): Promise<Checked<LicenseBuild>> {
  const build = await readLicenseBuild(path);
  return build.ok ? build : refuse('DATA', ...build.error);
}

/** The text of a build file with one key more, behind those of its kind: as the next one. */
export async function addKeyTo(path: string, entry: KeyEntry): Promise<Checked<string>> {
  const bytes = await readNamedFile('--add-to', path, MAX_BUILD_FILE_BYTES);
  if (!bytes.ok) {
    return bytes;
  }
  if (entry.kind === 'release') {
    return refuse(
      'DATA',
      `--add-to ${path}: expected a key that signs licences, found one that signs releases`,
    );
  }
  const build = parseBuildFile(bytes.value);
  if (!build.ok) {
    return refuse('DATA', ...build.error.map((problem) => `${path}: ${problem}`));
  }
  const more = { ...build.value, keys: [...build.value.keys, entry] };
  const text = `${JSON.stringify(more, undefined, 2)}\n`;
  const checked = parseBuildFile(Buffer.from(text));
  return checked.ok
    ? ok(text)
    : refuse('DATA', ...checked.error.map((problem) => `${path} with one key more: ${problem}`));
}
