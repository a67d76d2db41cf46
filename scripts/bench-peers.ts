/**
 * `npm run bench:peers`: this server beside others that run the same model files on the same
 * photos, in turns within one run. bench-peers/README.md says how each is given its best.
 */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describeHost } from '../src/cli/bench/facts.ts';
import { describeMachine } from '../src/cli/bench/report-text.ts';
import { readPackageInfo } from '../src/platform/package-info.ts';
import { type Entrant, enter, startChecked } from './bench-peers/entrant.ts';
import { setUpEnvironment } from './bench-peers/environment.ts';
import { fastapi } from './bench-peers/fastapi/peer.ts';
import { loadMaterial, type MeasuredModel, readReference } from './bench-peers/material.ts';
import { readOptions } from './bench-peers/options.ts';
import type { ClassScore, Configuration, ModelFile } from './bench-peers/peer.ts';
import { renderEssence, renderReport, replaceBetweenMarkers } from './bench-peers/report.ts';
import type { Results, Row, Trial } from './bench-peers/results.ts';
import { type Contestant, runRounds } from './bench-peers/rounds.ts';
import { chooseConfiguration } from './bench-peers/trials.ts';

const options = readOptions(process.argv.slice(2));
const { root } = readPackageInfo();
const stateFolder = join(root, 'state/bench-peers');
const startedMs = performance.now();

function report(text: string): void {
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0).padStart(4);
  process.stderr.write(`${seconds} s  ${text}\n`);
}

// Servers lead sessions of their own, which a terminal's Ctrl-C does not reach: see server.ts.
process.setMaxListeners(0);
process.on('SIGINT', () => process.exit(130));
process.on('SIGTERM', () => process.exit(143));
process.on('uncaughtException', ({ message }) => {
  process.stderr.write(`bench:peers: ${message}\n`);
  process.exit(1);
});

interface Ready extends Contestant {
  readonly entrant: Entrant;
  readonly configuration: Configuration;
  readonly model: ModelFile;
}

const leftOut: { title: string; reason: string }[] = [];
function leaveOut(title: string, error: unknown): void {
  leftOut.push({ title, reason: (error as Error).message });
  report(`${title} is left out: ${(error as Error).message}`);
}

report('making the photos and the reference answers');
const material = await loadMaterial();
const jpegs = material.bodies.slice(0, material.jpegCount);
const bin = await setUpEnvironment(join(options.environments, fastapi.name), fastapi);
const references = new Map<ModelFile, ClassScore[][]>();
for (const model of material.models) {
  const folder = join(stateFolder, 'photos');
  references.set(model, await readReference(join(bin, 'python'), material, model, folder));
}
if (material.int8Problem !== undefined) {
  leaveOut('int8', new Error(material.int8Problem));
}
const [float32] = material.models as [MeasuredModel];
const referenceOf = (model: ModelFile) => references.get(model) ?? [];

const trials: Trial[] = [];
const contestants: Ready[] = [];
for (const peer of options.peers) {
  try {
    report(`${peer.title}: setting up`);
    const entrant = await enter(peer, options.environments, stateFolder);
    const configurations = options.quick ? peer.configurations.slice(0, 1) : peer.configurations;
    const choice = await chooseConfiguration({
      ...{ entrant, configurations, material, report },
      model: float32,
      reference: referenceOf(float32),
      plans: options.trialPlans,
    });
    trials.push(...choice.trials);
    for (const model of material.models) {
      const title = `${peer.title} ${model.variant}`;
      const { configuration } = choice;
      try {
        const start = { entrant, configuration, model, material, reference: referenceOf(model) };
        if (model !== float32) {
          await (await startChecked(start)).stop(); // whatever is prepared once is there by then
        }
        contestants.push({
          title,
          entrant,
          configuration,
          model,
          server: await startChecked(start),
        });
      } catch (error) {
        leaveOut(title, error);
      }
    }
  } catch (error) {
    leaveOut(peer.title, error);
  }
}

const outcomes = await runRounds(contestants, options.rounds, options.plans, jpegs, report);
const rows: Row[] = [];
for (const [{ title, entrant, configuration, model, server }, outcome] of outcomes) {
  if (outcome instanceof Error) {
    leftOut.push({ title, reason: outcome.message });
  } else {
    rows.push({
      title: entrant.peer.title,
      variant: model.variant,
      versions: entrant.versions,
      configuration: configuration.name,
      startMs: server.startMs,
      remarks: server.remarks,
      ...outcome,
    });
  }
}
await Promise.all(contestants.map(({ server }) => server.stop()));

const host = describeHost();
const meanBytes = jpegs.reduce((sum, body) => sum + body.length, 0) / jpegs.length;
const results: Results = {
  date: new Date().toISOString().slice(0, 10),
  machine: `${describeMachine(host)}, ${host.system}, Node ${host.node}`,
  photos: `${jpegs.length} JPEGs of 500 x 375 px, bodies of ${(meanBytes / 1000).toFixed(0)} kB on average`,
  rounds: options.rounds,
  rows,
  trials,
  leftOut,
};
await mkdir(stateFolder, { recursive: true });
await writeFile(join(stateFolder, 'results.json'), `${JSON.stringify(results, null, 2)}\n`);
console.log(renderReport(results));
if (options.isComplete) {
  for (const [file, text] of [
    ['scripts/README.md', renderReport(results)],
    ['README.md', renderEssence(results)],
  ] as const) {
    const path = join(root, file);
    const document = await readFile(path, 'utf8');
    await writeFile(path, replaceBetweenMarkers(document, 'bench:peers', text));
    report(`wrote the table into ${file}`);
  }
}
