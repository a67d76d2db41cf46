import { findFileProblem } from '../../../catalog/model-files.ts';
import { findModelFolder } from '../../../catalog/model-package.ts';
import { chooseVariant } from '../../../catalog/variants.ts';
import type { ServiceConfig } from '../../../config/schema.ts';
import { readCpuFeatures } from '../../../platform/cpu-features.ts';
import { hasCudaProvider } from '../../../platform/cuda-provider.ts';
import { count } from '../../count.ts';
import { readManifest } from '../../models/manifest-file.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, problem } from '../finding.ts';

const MEANING = 'The service does not load this model, or not after its next start.';

/** Compares every file of the configured models with its hash; nothing is loaded. */
export const modelsCheck: Check = {
  name: 'models',
  async run({ config }) {
    if (config === undefined) {
      return [];
    }
    const { modelsDir, services } = config;
    const byFolder = Map.groupBy(services, ({ model }) => findModelFolder(modelsDir, model));
    const findings: Finding[] = [];
    for (const [folder, ofModel] of byFolder) {
      findings.push(...(await checkFolder(folder, ofModel)));
    }
    return findings;
  },
};

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
