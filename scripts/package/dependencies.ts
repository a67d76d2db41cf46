import { readFile, realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { nodeFileTrace } from '@vercel/nft';
import { ModuleKind, ScriptTarget, transpile } from 'typescript';
import type { ArchiveEntry } from './entry.ts';
import type { Source } from './source.ts';

/** onnxruntime-node brings its library for every platform; the tracer cannot know which is meant. */
const otherPlatform = /^onnxruntime-node\/bin\/(?!napi-v\d+\/linux\/x64\/)/;

/**
 * The files of production packages that the program can load on this platform, found by following
 * every import from all of its sources, wherever they branch.
 */
export async function traceDependencies(
  { root }: Source,
  application: readonly string[],
): Promise<readonly ArchiveEntry[]> {
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
  const files = [...fileList]
    .map((path) => relative(packages, join('/', path)))
    .filter((path) => !path.startsWith('..') && !otherPlatform.test(path));
  return Promise.all(
    files.map(async (path) => ({
      path: `app/node_modules/${path}`,
      bytes: await readFile(join(packages, path)),
      isExecutable: false,
    })),
  );
}

/** The names of the packages that have a file among the entries, nested ones by their whole path. */
export function listPackages(entries: readonly ArchiveEntry[]): readonly string[] {
  const folders = entries.flatMap(({ path }) => {
    const [, folder] = /^app\/((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
    return folder === undefined ? [] : [folder];
  });
  return [...new Set(folders)].sort();
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
