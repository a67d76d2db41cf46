import { Command, InvalidArgumentError, Option } from 'commander';
import type { BenchOptions } from '../bench/run.ts';
import { addLocalConfigOptions } from '../local-config.ts';

const DEFAULT_CALLERS = [1, 2, 4, 8, 16, 32, 64];
const MAX_CALLERS = 1024;
const DEFAULT_DURATION_S = 7;
const MIN_DURATION_S = 0.1;
const MAX_DURATION_S = 3600;

const HELP_AFTER = `
Examples:
  edge-infer bench --callers 1,2 --duration 1 --budget 200ms --chart bench.html
  edge-infer bench --callers 8 --duration 1 --images models/efficientnet-lite0/golden --json

Without options it takes about a minute.

A server with the service's own settings is started on a private port, in a process of its own; a
server that is running already is left alone, but takes processor time from this one. The callers
form a closed loop: each sends its next request when it has the answer to its last one, so more
callers make a longer queue. A caller that is refused counts as failed and waits 0.1 s.

Figures are those of answered requests; CPU time is that of the server's process with all its
threads. The callers run on this host as well, and what they take is told apart.

--budget measures further numbers of callers, halving the gap between those within it and those
over it. With failed requests a number of callers counts as over it.
--chart writes a picture of the figures that needs nothing else: a page or an SVG file, by its name.
--json prints one object on one line; its keys are explained in src/cli/bench/README.md.
Ctrl-C ends early and prints the steps that were finished.`;

/** `edge-infer bench`: what this host can do with a service. */
export function createBenchCommand(): Command {
  const command = new Command('bench')
    .summary('Measure what this host can do with a model.')
    .description(
      'Measures a service on this host with 1 to 64 callers: requests a second, latencies, CPU time, memory, and where the time of a request goes.',
    )
    .option('--service <name>', 'Measure this service (default: the first configured).')
    .addOption(
      new Option(
        '--model <name>',
        "Measure this model: a folder's name under the models folder, or, with a slash in it, a path.",
      ).conflicts('service'),
    )
    .option(
      '--images <path>',
      "Send the images of this folder (default: the model's golden examples).",
    )
    .addOption(
      new Option('--callers <list>', 'How many callers at once, one step each.')
        .argParser(parseCallers)
        .default(DEFAULT_CALLERS, DEFAULT_CALLERS.join(',')),
    )
    .addOption(
      new Option('--duration <time>', 'How long each step is measured, in seconds unless said.')
        .argParser((text) => parseTimeMs(text, 's'))
        .default(DEFAULT_DURATION_S * 1000, `${DEFAULT_DURATION_S}s`),
    )
    .addOption(
      new Option(
        '--budget <time>',
        'Find the most callers whose p99 stays within this time, in milliseconds unless said.',
      ).argParser((text) => parseTimeMs(text, 'ms')),
    )
    .option('--json', 'Print a JSON object with all figures.')
    .addOption(
      new Option('--chart <file>', 'Draw a chart into this .html or .svg file.').argParser(
        parseChartFile,
      ),
    )
    .addHelpText('after', HELP_AFTER)
    .action(async (options: BenchOptions) => {
      const { runBench } = await import('../bench/run.ts');
      process.exitCode = await runBench(options, command);
    });
  return addLocalConfigOptions(command);
}

function parseCallers(text: string): number[] {
  const numbers = text.split(',').map((part) => (/^ *\d+ *$/.test(part) ? Number(part) : 0));
  if (numbers.some((number) => number < 1 || number > MAX_CALLERS)) {
    throw new InvalidArgumentError(
      `Expected whole numbers from 1 to ${MAX_CALLERS} with commas between, such as 1,8,64; found "${text}".`,
    );
  }
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** Reads `200ms`, `0.2s` or a number in `unit`, as ms. */
function parseTimeMs(text: string, unit: 'ms' | 's'): number {
  const [, digits, ownUnit = unit] = /^(\d+(?:\.\d+)?) ?(ms|s)?$/.exec(text) ?? [];
  const seconds = Number(digits) / (ownUnit === 's' ? 1 : 1000);
  const isInRange = unit === 's' ? seconds >= MIN_DURATION_S : seconds > 0;
  if (!isInRange || !(seconds <= MAX_DURATION_S)) {
    const least = unit === 's' ? `${MIN_DURATION_S}s` : 'more than 0';
    throw new InvalidArgumentError(
      `Expected a time such as 200ms or 1.5s, ${least} to ${MAX_DURATION_S}s, found "${text}".`,
    );
  }
  return seconds * 1000;
}

function parseChartFile(text: string): string {
  if (!/\.(html?|svg)$/i.test(text)) {
    throw new InvalidArgumentError(`Expected a name that ends in .html or .svg, found "${text}".`);
  }
  return text;
}
