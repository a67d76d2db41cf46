import { readFile, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';
import { ModuleKind, ScriptTarget, transpile } from 'typescript';
import type { ArchiveEntry } from './entry.ts';
import { findPackageFolder, listProductionPackages } from './production-packages.ts';
import type { Source } from './source.ts';

/** onnxruntime-node brings its library for every platform; the tracer cannot know which is meant. */
const otherPlatform = /^node_modules\/onnxruntime-node\/bin\/(?!napi-v\d+\/linux\/x64\/)/;

/**
 * The files of production packages that the program can load on this platform, found by following
 * every import from all of its sources, wherever they branch.
 */
export async function traceDependencies(
  source: Source,
  application: readonly string[],
): Promise<readonly ArchiveEntry[]> {
  const { root } = source;
  const packages = await realpath(join(root, 'node_modules'));
  const starts = application.filter((path) => /^src\/.*\.[tj]s$/.test(path));
  const { fileList } = await nodeFileTrace(
    starts.map((path) => join(root, path)),
    {
      base: '/', // the packages may lie elsewhere, by a link
      processCwd: root,
      ignore: (path) => ![root, packages].some((folder) => isUnder(folder, join('/', path))),
      conditions: ['node'],
      ts: true,
      readFile: readJavaScript,
    },
  );
  // Some packages take others along where these happen to be installed, as for development here.
  const production = new Set(await listProductionPackages(source));
  const files = [...fileList]
    .map((path) => join('/', path))
    .filter((path) => isUnder(packages, path))
    .map((path) => join('node_modules', relative(packages, path)))
    .filter((path) => production.has(findPackageFolder(path) ?? '') && !otherPlatform.test(path));
  return Promise.all(
    files.map(async (path) => ({
      path: `app/${path}`,
      bytes: await readFile(join(root, path)),
      isExecutable: false,
    })),
  );
}

/** The folders of the packages that have a file among the entries, sorted. */
export function listPackages(entries: readonly ArchiveEntry[]): readonly string[] {
  const folders = entries.map(({ path }) => findPackageFolder(path.slice('app/'.length)));
  return [...new Set(folders.filter((folder) => folder !== undefined))].sort();
}

function isUnder(folder: string, path: string): boolean {
  return !relative(folder, path).startsWith('..');
}

/** Types go, everything else stays as it is. */
const plainModule = {
  module: ModuleKind.ESNext,
  target: ScriptTarget.ESNext,
  verbatimModuleSyntax: true,
};

async function readJavaScript(path: string): Promise<string | null> {
  try {
    const text = await readFile(path, 'utf8');
    return path.endsWith('.ts') ? transpile(text, plainModule) : text;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'EISDIR') {
      return null; // it was a guess of the tracer's
    }
    throw error;
  }
}
