import { join } from 'node:path';
import { readComponents } from './components.ts';
import type { Source } from './source.ts';
import { runTool } from './tool.ts';

const PATH_PROPERTY = 'cdx:npm:package:path';

/** The parts of a CycloneDX document that are changed here. */
interface Bom {
  readonly metadata: {
    readonly tools: { readonly components: readonly { readonly name: string }[] };
    readonly component: { readonly version: string };
  };
  readonly components: readonly BomPackage[];
  readonly dependencies: readonly {
    readonly ref: string;
    readonly dependsOn?: readonly string[];
  }[];
}

interface BomPackage {
  readonly 'bom-ref': string;
  readonly properties?: readonly { readonly name: string; readonly value: string }[];
}

/**
 * What the archive consists of, as CycloneDX JSON without anything that changes from build to
 * build: the npm packages that have files in it, the runtime, native libraries and models.
 *
 * @param packages their folders, as `node_modules/koa`
 */
export async function createSbom(
  source: Source,
  version: string,
  packages: readonly string[],
): Promise<string> {
  const bom = await listInstalled(source);
  const shipped = bom.components.filter(({ properties = [] }) =>
    properties.some(({ name, value }) => name === PATH_PROPERTY && packages.includes(value)),
  );
  const others = await readComponents(source);
  const { tools, component } = bom.metadata;
  return `${JSON.stringify(
    {
      ...bom,
      metadata: {
        ...bom.metadata,
        // Which npm looked the packages up is no property of the archive.
        tools: { components: tools.components.filter(({ name }) => name !== 'npm') },
        component: { ...component, version },
      },
      components: [...shipped, ...others],
      dependencies: keepKnown(bom, new Set(shipped.map((part) => part['bom-ref']))),
    },
    undefined,
    2,
  )}\n`;
}

async function listInstalled({ root }: Source): Promise<Bom> {
  const tool = join(root, 'node_modules/@cyclonedx/cyclonedx-npm/bin/cyclonedx-npm-cli.js');
  const options = [
    '--omit=dev',
    '--flatten-components',
    '--output-reproducible',
    '--spec-version=1.6',
    '--no-validate',
  ];
  // npm complains of packages that are installed beside those of the lock file; they are not shipped.
  const text = await runTool(process.execPath, [tool, ...options, '--ignore-npm-errors'], root);
  return JSON.parse(text) as Bom;
}

/** The graph without what is not shipped. */
function keepKnown({ metadata, dependencies }: Bom, shipped: ReadonlySet<string>) {
  const root = (metadata.component as { 'bom-ref'?: string })['bom-ref'];
  return dependencies
    .filter(({ ref }) => ref === root || shipped.has(ref))
    .map(({ ref, dependsOn = [] }) => ({
      ref,
      dependsOn: dependsOn.filter((name) => shipped.has(name)),
    }));
}
