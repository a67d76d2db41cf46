import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { type ConfigSources, type LoadedConfig, tryLoadConfig } from '../../src/config/load.ts';
import { type ConfigProblem, formatProblem } from '../../src/config/problems.ts';
import type { Config } from '../../src/config/schema.ts';

export const packageRoot = '/opt/edge-infer';
export const userStateDir = '/home/operator/.local/state/edge-infer';

/** A working directory that goes with the test, holding `edge-infer.yaml` when text is given. */
export function createFolder(yaml?: string | Buffer): string {
  const folder = mkdtempSync(join(tmpdir(), 'edge-infer-config-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  if (yaml !== undefined) {
    writeFileSync(join(folder, 'edge-infer.yaml'), yaml);
  }
  return folder;
}

export interface Given extends Partial<ConfigSources> {
  readonly yaml?: string | Buffer;
}

function load({ yaml, ...sources }: Given) {
  return tryLoadConfig({
    env: {},
    cwd: sources.cwd ?? createFolder(yaml),
    packageRoot,
    userStateDir,
    ...sources,
  });
}

/** Loads what must be valid. */
export function loadValid(given: Given): LoadedConfig {
  const loaded = load(given);
  if (!loaded.ok) {
    throw new Error(loaded.error.map(formatProblem).join('\n'));
  }
  return loaded.value;
}

export function configOf(given: Given): Config {
  return loadValid(given).config;
}

/** Loads what must be refused. */
export function problemsOf(given: Given): ConfigProblem[] {
  const loaded = load(given);
  if (loaded.ok) {
    throw new Error(`accepted: ${JSON.stringify(loaded.value.config)}`);
  }
  return loaded.error;
}

export function linesOf(given: Given): string[] {
  return problemsOf(given).map(formatProblem);
}
