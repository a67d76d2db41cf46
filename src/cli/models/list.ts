import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Command } from 'commander';
import { OperatorError } from '../../core/errors.ts';
import { loadLocalConfig } from '../local-config.ts';
import { writeOutput } from '../output.ts';
import { formatTable, printable, type Row } from '../text-table.ts';
import { type ModelSummary, summarizeModel } from './summary.ts';

export async function runModelsList(isJson: boolean, command: Command): Promise<void> {
  const { modelsDir } = loadLocalConfig(command).config;
  const summaries: ModelSummary[] = [];
  for (const folder of await findFolders(modelsDir)) {
    summaries.push(await summarizeModel(join(modelsDir, folder)));
  }
  if (isJson) {
    await writeOutput(summaries.map((summary) => `${JSON.stringify(summary)}\n`).join(''));
  } else if (summaries.length === 0) {
    process.stderr.write(`no model folders in ${modelsDir}\n`);
  } else {
    await writeOutput(formatSummaries(summaries));
  }
}

async function findFolders(modelsDir: string): Promise<string[]> {
  try {
    const entries = await readdir(modelsDir, { withFileTypes: true });
    return entries
      .filter((entry) => (entry.isDirectory() || entry.isSymbolicLink()) && !isHidden(entry.name))
      .map(({ name }) => name)
      .sort();
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const found = code === 'ENOENT' ? 'nothing there' : `one that cannot be read (${code})`;
    throw new OperatorError(
      'NO_INPUT',
      `modelsDir ${modelsDir}: expected a folder with a folder for each model, found ${found}`,
      { cause: error },
    );
  }
}

function isHidden(name: string): boolean {
  return name.startsWith('.');
}

/** A line a model, its problems indented below it. */
function formatSummaries(summaries: readonly ModelSummary[]): string {
  const titles = ['MODEL', 'VERSION', 'TASK', 'INPUT', 'VARIANTS', 'CLASSES', 'SIZE'];
  const rows = summaries.map(({ version = '-', task = '-', input, ...summary }): Row => {
    const { folder, name = folder, variants, classes = '-', bytes } = summary;
    return [
      printable(name === folder ? folder : `${folder} (named ${name})`),
      printable(version),
      task,
      input === undefined ? '-' : `${input.width}x${input.height} ${input.colour}`,
      variants?.map((variant) => variant.name).join(', ') ?? '-',
      String(classes),
      bytes === undefined ? '-' : formatSize(bytes),
    ];
  });
  const table = formatTable([titles, ...rows], {
    widths: titles.map(() => null),
    aligns: ['left', 'left', 'left', 'left', 'left', 'right', 'right'],
  });
  const [header, ...lines] = table.trimEnd().split('\n');
  const withProblems = lines.flatMap((line, index) => [
    line,
    ...(summaries[index]?.problems ?? []).map((problem) => `  ${printable(problem)}`),
  ]);
  return [header, ...withProblems, ''].join('\n');
}

function formatSize(bytes: number): string {
  const mebibytes = bytes / 1024 ** 2;
  return `${mebibytes.toFixed(mebibytes < 10 ? 1 : 0)} MiB`;
}
