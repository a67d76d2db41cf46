import { join } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import { readHostFacts } from '../hardware/read-host-facts.ts';
import { readPackageInfo } from '../platform/package-info.ts';
import { readLicenseBuild } from './build-keys.ts';
import type { LicenseGateOptions } from './gate.ts';
import { createRecordFile } from './record-file.ts';
import { openRecords } from './records.ts';

/** Where everything that decides about a licence comes from. */
export type LicenseSources = Pick<
  LicenseGateOptions,
  'build' | 'folder' | 'openRecords' | 'readFacts' | 'clocks'
>;

export interface LicensePlaces {
  readonly stateDir: string;
  readonly license: { readonly dir: string; readonly recordsDir: string };
}

/** Hosts with dozens of interfaces or slow disks take seconds. */
const FACTS_DEADLINE_MS = 10_000;

/** The real ones. Throws an OperatorError where this installation's own `license/build.json` is damaged. */
export async function openLicenseSources({
  stateDir,
  license,
}: LicensePlaces): Promise<LicenseSources> {
  const build = await readLicenseBuild(join(readPackageInfo().root, 'license/build.json'));
  if (!build.ok) {
    const advice = 'this installation is damaged; install it again';
    throw new OperatorError('SOFTWARE', [...build.error, advice].join('\n'));
  }
  const places = [createRecordFile(stateDir), createRecordFile(license.recordsDir)];
  return {
    build: build.value,
    folder: license.dir,
    openRecords: () => openRecords(places),
    readFacts: (depth) => readHostFacts({ depth, deadlineMs: FACTS_DEADLINE_MS }),
    clocks: { nowMs: Date.now, upMs: () => performance.now() },
  };
}
