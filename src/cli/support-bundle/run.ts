import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { readConfigSources } from '../config-options.ts';
import { writeOutput } from '../output.ts';
import { printable } from '../text-table.ts';
import { cannotWrite, writeNewFile } from '../write-file.ts';
import { packBundle } from './archive.ts';
import { collectFiles, describeFiles } from './collect.ts';

export interface BundleOptions {
  /** Show what it would hold, and write nothing. */
  readonly list?: true;
  /** Do not ask. */
  readonly yes?: true;
  readonly log?: string;
}

/** Shows what the bundle holds, asks on a terminal, and writes it. */
export async function writeSupportBundle(
  file: string | undefined,
  options: BundleOptions,
  command: Command,
): Promise<void> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
  const folder = `edge-infer-support-${stamp}`;
  const path = file ?? `${folder}.tar.gz`;
  if (options.list === undefined && existsSync(path)) {
    throw cannotWrite(path, Object.assign(new Error('it exists'), { code: 'EEXIST' }));
  }
  const configSources = readConfigSources(command);
  process.stderr.write('Collecting; checking the models takes a few seconds ...\n');
  const files = await collectFiles({ configSources, logFile: options.log });
  await writeOutput(
    `${printable(path)} ${options.list ? 'would hold' : 'holds'}:\n\n${describeFiles(files)}\n`,
  );
  if (options.list || !(await isAgreed(options))) {
    await writeOutput('Nothing was written.\n');
    return;
  }
  await writeNewFile({ path, text: await packBundle(folder, files), mode: 0o600 });
  await writeOutput(`Written. Look into it with: tar -xzf ${printable(path)}\n`);
}

async function isAgreed({ yes }: BundleOptions): Promise<boolean> {
  if (yes || !process.stdin.isTTY || !process.stdout.isTTY) {
    return true;
  }
  const { read } = await import('read');
  const answer = await read({ prompt: 'Write it? [y/N]' });
  return /^y(es)?$/i.test(answer.trim());
}
