/**
 * Reads what `edge-infer self-test --json` left, tells it to a person, and judges it.
 *
 *     node tested.mjs REPORT [--first] -- [SERVICE...]
 *
 * Exit 0 where every named service passed, and at least one did. With --first there is nothing yet that
 * serves, so all services of the configuration must pass. One that is not well today keeps no upgrade
 * back: it may be what mends it.
 */
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { first: { type: 'boolean', default: false } },
});
const [file, ...needed] = positionals;

/** A candidate that ended before it could say anything leaves nothing that can be read. */
function readReport() {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function describe({ deployName, ok, license, examples, problems, ...service }) {
  const { model, modelVersion, variant, device } = service;
  const right = examples.filter((example) => example.ok).length;
  const what = model === undefined ? '' : `: ${model} ${modelVersion} (${variant}) on ${device}`;
  return [
    `${ok ? 'OK    ' : 'FAILED'}  ${deployName}${what}`,
    ...(examples.length > 0 ? [`        ${right} of ${examples.length} known images right`] : []),
    `        licence ${license.state}: ${license.detail}`,
    ...problems.map((problem) => `        ${problem}`),
  ];
}

const report = readReport();
if (report === undefined) {
  process.stdout.write('it ended before it could report\n');
  process.exitCode = 1;
} else {
  const { services, problems } = report;
  const lines = [...services.flatMap(describe), ...problems.map((problem) => `FAILED  ${problem}`)];
  const passed = services.filter(({ ok }) => ok);
  const failed = services.filter(({ ok }) => !ok).map(({ deployName }) => deployName);
  const missed = values.first ? failed : failed.filter((name) => needed.includes(name));
  const isWell = problems.length === 0 && passed.length > 0 && missed.length === 0;
  if (isWell && failed.length > 0) {
    lines.push(`${failed.join(', ')}: not well before either, so that is no reason to stop`);
  }
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
  process.exitCode = isWell ? 0 : 1;
}
