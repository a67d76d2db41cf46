import { Document, isScalar } from 'yaml';
import { describeKeys, type KeyPath, listValues } from './keys.ts';
import type { LoadedConfig } from './load.ts';
import { displayPath } from './names.ts';
import { effectiveOrigin } from './resolve.ts';

/** The effective configuration as YAML that can be loaded again, each value with its source. */
export function formatConfigYaml(loaded: LoadedConfig): string {
  const document = new Document(loaded.config);
  document.commentBefore = ` file: ${loaded.file ?? 'none'}`;
  for (const { path, source } of listSources(loaded)) {
    const node = document.getIn(path, true);
    if (isScalar(node)) {
      node.comment = ` ${source}`;
    }
  }
  return document.toString({ lineWidth: 0 });
}

/** The same for programs: `sources` maps each value's path to where it came from. */
export function formatConfigJson(loaded: LoadedConfig): string {
  const sources = listSources(loaded).map(({ path, source }) => [displayPath(path), source]);
  const { config, file } = loaded;
  const shown = { file: file ?? null, config, sources: Object.fromEntries(sources) };
  return `${JSON.stringify(shown, null, 2)}\n`;
}

function listSources({ config, origins }: LoadedConfig): { path: KeyPath; source: string }[] {
  const keys = describeKeys();
  const { services: _, ...topLevel } = config;
  const paths = [
    ...listValues(keys, 0).filter(({ path }) => path[0] !== undefined && path[0] in topLevel),
    ...config.services.flatMap((_service, index) =>
      listValues(keys, index).filter(({ path }) => path[0] === 'services'),
    ),
  ];
  return paths.map(({ path }) => ({ path, source: effectiveOrigin(keys, origins, path).source }));
}
