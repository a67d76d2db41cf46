import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { OperatorError } from '../../src/core/errors.ts';
import { parseBuildFile } from '../../src/licensing/build-keys.ts';
import type { ArchiveEntry } from './entry.ts';
import type { Source } from './source.ts';

/** What the program itself reads, of the files that git knows. */
const shipped = /^(src|models)\/|^license\/[^/]+$/;
/** Pages for who changes the program, and what `kernels.wasm` was compiled from. */
const leftOut = /^src\/.*\.md$|^src\/imaging\/simd\/.*\.(ts|json)$/;
const LICENSE_BUILD = 'license/build.json';
const addon = 'native-bindings/build/edge-infer.node';

/** Paths under the working tree's root of what is shipped of the program, without its packages. */
export function listApplication({ files }: Source): readonly string[] {
  return [...files.filter((path) => shipped.test(path) && !leftOut.test(path)), addon];
}

/** The program, its models and its addon, as they lie in the working tree. */
export async function readApplication(
  source: Source,
  version: string,
): Promise<readonly ArchiveEntry[]> {
  const entries = listApplication(source).map(async (path) => {
    const bytes = await readShipped(join(source.root, path));
    return {
      path: `app/${path}`,
      bytes: path === LICENSE_BUILD ? dateLicenseBuild(bytes, source) : bytes,
      isExecutable: false,
    };
  });
  return [
    ...(await Promise.all(entries)),
    {
      path: 'app/package.json',
      bytes: await readPackageJson(source, version),
      isExecutable: false,
    },
  ];
}

async function readShipped(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const remedy = file.endsWith(addon) ? '; build it with "npm run build:native"' : '';
    const text = `cannot be read: ${(error as Error).message}${remedy}`;
    throw new OperatorError('NO_INPUT', `${file} ${text}`, { cause: error });
  }
}

/**
 * Under the day of the commit: no clock that is right shows an earlier one, and licences may be for
 * releases until a day.
 */
function dateLicenseBuild(bytes: Buffer, { commitTime }: Source): Buffer {
  const build = parseBuildFile(bytes);
  if (!build.ok) {
    throw new OperatorError('DATA', `${LICENSE_BUILD}: ${build.error.join('; ')}`);
  }
  const built = new Date(commitTime * 1000).toISOString().slice(0, 10);
  return Buffer.from(`${JSON.stringify({ ...build.value, built }, undefined, 2)}\n`);
}

/** What is read of `package.json` on a server, under the version of the archive. */
async function readPackageJson({ root }: Source, version: string): Promise<Buffer> {
  const whole = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as object;
  const { name, description, license, type, dependencies } = whole as Record<string, unknown>;
  const kept = { name, version, private: true, description, license, type, dependencies };
  return Buffer.from(`${JSON.stringify(kept, undefined, 2)}\n`);
}
