import { readdir, realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { findFileProblem } from '../../../catalog/model-files.ts';
import { findModelFolder } from '../../../catalog/model-package.ts';
import { chooseVariant } from '../../../catalog/variants.ts';
import type { ServiceConfig } from '../../../config/schema.ts';
import { readCpuFeatures } from '../../../platform/cpu-features.ts';
import { hasCudaProvider } from '../../../platform/cuda-provider.ts';
import { count } from '../../count.ts';
import { readManifest } from '../../models/manifest-file.ts';
import { SERVICE_UNIT } from '../../units/units.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, problem } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const OWN_MODELS = '/opt/edge-infer/models';
const OTHERS_READ = 0o004;
const OTHERS_ENTER = 0o001;
const MEANING = 'The service does not load this model, or not after its next start.';

/** Compares every file of the configured models with its hash; nothing is loaded. */
export const modelsCheck: Check = {
  name: 'models',
  async run(host) {
    const { config } = host;
    if (config === undefined) {
      return [];
    }
    const { modelsDir, services } = config;
    const byFolder = Map.groupBy(services, ({ model }) => findModelFolder(modelsDir, model));
    const findings: Finding[] = [];
    for (const [folder, ofModel] of byFolder) {
      findings.push(...(await describeHidden(folder, host)));
      findings.push(...(await checkFolder(folder, ofModel)));
    }
    return findings;
  },
};

/** What the service's sandbox keeps from it, by the unit's settings. */
const hiders = [
  { property: 'ProtectHome', folders: ['/home', '/root', '/run/user'] },
  { property: 'PrivateTmp', folders: ['/tmp', '/var/tmp'] },
] as const;

/** A folder that this user sees and the service does not: hidden, or not readable for everybody. */
async function describeHidden(folder: string, { unit }: HostView): Promise<Finding[]> {
  const service = unit(SERVICE_UNIT);
  if (service === undefined) {
    return [];
  }
  const path = await realpath(folder).catch(() => folder);
  const hider = hiders.find(
    ({ property, folders }) =>
      !['', 'no'].includes(service.get(property)) &&
      folders.some((hidden) => path.startsWith(`${hidden}/`)),
  );
  if (hider !== undefined) {
    return [
      problem(
        `${folder}: the service cannot see it (${hider.property}= of its unit)`,
        'Move the model to /opt/edge-infer/models, and name it there in the configuration.',
        `sudo mkdir -p ${OWN_MODELS} && sudo mv ${path} ${OWN_MODELS}/ && sudo chmod -R a+rX ${OWN_MODELS}`,
      ),
    ];
  }
  const closed = await findClosed(path);
  return closed === undefined
    ? []
    : [
        problem(
          `${closed}: only its owner may read it, and the service runs as a user of its own`,
          'The service cannot load this model.',
          `sudo chmod -R a+rX ${closed}`,
        ),
      ];
}

/** What of a folder, its files or the folders above it not everybody may read. */
async function findClosed(folder: string): Promise<string | undefined> {
  const above = [folder];
  for (let path = dirname(folder); path !== dirname(path); path = dirname(path)) {
    above.unshift(path);
  }
  const entries = await readdir(folder, { withFileTypes: true, recursive: true }).catch(() => []);
  const inside = entries.map(({ parentPath, name }) => join(parentPath, name));
  for (const path of [...above, ...inside]) {
    const stats = await stat(path).catch(() => undefined);
    const needed = stats?.isDirectory() ? OTHERS_ENTER : OTHERS_READ;
    if (stats !== undefined && (stats.mode & needed) !== needed) {
      return path;
    }
  }
  return undefined;
}

async function checkFolder(folder: string, services: readonly ServiceConfig[]): Promise<Finding[]> {
  const command = `edge-infer models check ${folder}`;
  const manifest = await readManifest(folder);
  if (!manifest.ok) {
    return [problem(`${folder}: ${manifest.error}`, MEANING, command)];
  }
  const { files, name, version } = manifest.value;
  const host = { cpuFeatures: await readCpuFeatures(), hasCudaProvider: hasCudaProvider() };
  const refusals = services.flatMap(({ variant, device }) => {
    const chosen = chooseVariant(manifest.value, variant, { ...host, device });
    return chosen.ok ? [] : [chosen.error];
  });
  const checks = Object.entries(files).map(([file, sha256]) =>
    findFileProblem(folder, file, sha256),
  );
  const damages = (await Promise.all(checks)).filter((damage) => damage !== undefined).sort();
  const problems = [...new Set(refusals), ...damages];
  return problems.length === 0
    ? [fine(`${name} ${version}: ${count(checks.length, 'file')} as its manifest says`)]
    : problems.map((each) => problem(each, MEANING, command));
}
