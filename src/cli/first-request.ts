import { join, relative, resolve } from 'node:path';
import { findModelFolder } from '../catalog/model-package.ts';
import { type ChosenVariant, listVariants } from '../catalog/variants.ts';
import type { EdgeInferServer } from '../compose/server.ts';
import type { Config, ServiceConfig } from '../config/schema.ts';
import { isServed, type LicenseDecision } from '../licensing/verdict.ts';
import { readPackageInfo } from '../platform/package-info.ts';
import { readManifest } from './models/manifest-file.ts';
import { reachableUrlHost } from './reachable-host.ts';
import { printable } from './text-table.ts';

/** What to paste into another terminal, for every service that is ready; why not for the others. */
export async function describeFirstRequests(
  config: Config,
  server: EdgeInferServer,
): Promise<string> {
  const texts = config.services.map(async (service) => {
    const status = server.services.get(service.deployName)?.status();
    const license = server.licenses.findDecision(service.deployName);
    switch (status?.state) {
      case 'ready':
        return isServed(license)
          ? (await describeFirstRequest(config, service, server.address, status.variant)) +
              describeLicense(license)
          : `${service.deployName} answers nobody.\n${describeLicense(license)}`;
      case 'failed':
        return `${service.deployName} is not ready:\n${status.problems.map((problem) => `  ${problem}\n`).join('')}`;
      default:
        return ''; // stopped before it was loaded
    }
  });
  const told = (await Promise.all(texts)).filter((text) => text !== '');
  return told.length === 0 ? '' : `\n${told.join('\n')}\n`;
}

function describeLicense({ state, detail, remedy }: LicenseDecision): string {
  return `Licence: ${state}, ${detail}.\n${remedy === '' ? '' : `${remedy}\n`}`;
}

async function describeFirstRequest(
  config: Config,
  service: ServiceConfig,
  { host, port }: EdgeInferServer['address'],
  variant: ChosenVariant | undefined,
): Promise<string> {
  const { deployName } = service;
  const url = `http://${reachableUrlHost(host)}:${port}/${encodeURIComponent(deployName)}/ImageClassification`;
  const sample = await findSample(findModelFolder(config.modelsDir, service.model), variant);
  const photo = sample === undefined ? 'PHOTO.jpg' : shownPath(sample.image);
  const isRelative = photo !== sample?.image;
  const where =
    sample === undefined
      ? 'From another terminal, with a photo of your own as PHOTO.jpg'
      : `From another terminal${isRelative ? ', in this folder' : ''}`;
  const answer =
    sample === undefined ? '' : `\nThe first result should be "${printable(sample.className)}".\n`;
  return `${deployName} is ready. ${where}:\n\n  { printf '{"image":"'; base64 -w0 ${quoteForShell(photo)}; printf '"}'; } | curl -s -d @- ${quoteForShell(url)}\n${answer}`;
}

/** Of the golden examples of the variant that runs the one it is surest of. */
async function findSample(
  folder: string,
  running: ChosenVariant | undefined,
): Promise<{ image: string; className: string } | undefined> {
  const manifest = await readManifest(folder);
  const variants = manifest.ok ? listVariants(manifest.value) : [];
  const examples = variants.find(({ name }) => name === running?.name)?.golden.examples ?? [];
  const [surest] = examples.toSorted((a, b) => firstScore(b) - firstScore(a));
  return surest && { image: join(folder, surest.image), className: surest.top[0]?.name ?? '' };
}

function firstScore(example: { top: readonly { score: number }[] }): number {
  return example.top[0]?.score ?? 0;
}

/** Short for whoever started the program in its own folder, absolute for everybody else. */
function shownPath(path: string): string {
  const root = resolve(readPackageInfo().root);
  const fromRoot = relative(root, path);
  return process.cwd() === root && !fromRoot.startsWith('..') ? fromRoot : path;
}

function quoteForShell(text: string): string {
  return /^[\w./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
