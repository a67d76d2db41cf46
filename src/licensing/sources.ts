import type { KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { OperatorError } from '../core/errors.ts';
import type { Result } from '../core/result.ts';
import { createFactsReader } from '../hardware/read-host-facts.ts';
import { readPackageInfo } from '../platform/package-info.ts';
import { readLicenseBuild } from './build-keys.ts';
import type { LicenseGateOptions } from './gate.ts';
import { ensureHolderKey, HOLDER_KEY_FILE } from './holder-key.ts';
import { findHostFolders } from './host-folders.ts';
import { REVOCATION_FILE } from './license-folder.ts';
import { withPatience } from './patient-place.ts';
import { createRecordFile } from './record-file.ts';
import { openRecords } from './records.ts';
import { createRevocationCopy, readRevocations } from './revocations.ts';

/** Where everything that decides about a licence comes from. */
export interface LicenseSources
  extends Pick<
    LicenseGateOptions,
    'build' | 'folder' | 'readRevocations' | 'openRecords' | 'readFacts' | 'clocks'
  > {
  /** The key that speaks for this host; the error is a sentence. */
  readonly openHolderKey: () => Promise<Result<KeyObject, string>>;
}

export interface LicensePlaces {
  readonly stateDir: string;
  readonly license: { readonly dir: string; readonly recordsDir: string };
}

/** Hosts with dozens of interfaces or slow disks take seconds. */
const FACTS_DEADLINE_MS = 10_000;

/** The real ones. Throws an OperatorError where this installation's own `license/build.json` is damaged. */
export async function openLicenseSources(
  { stateDir, license }: LicensePlaces,
  hostFolders: readonly string[] = findHostFolders(),
): Promise<LicenseSources> {
  const ofRelease = join(readPackageInfo().root, 'license');
  const build = await readLicenseBuild(join(ofRelease, 'build.json'));
  if (!build.ok) {
    const advice = 'this installation is damaged; install it again';
    throw new OperatorError('SOFTWARE', [...build.error, advice].join('\n'));
  }
  const readFacts = createFactsReader();
  const chosen = [stateDir, license.recordsDir];
  // The first decides where several processes start at once: those of the host are shared by most.
  const folders = [...new Set([...hostFolders, ...chosen])];
  const placesOf = (name?: string) =>
    folders.map((folder) =>
      createRecordFile(folder, {
        ...(name === undefined ? {} : { name }),
        isOptional: !chosen.includes(folder),
      }),
    );
  const lists = [ofRelease, license.dir].map((folder) => join(folder, REVOCATION_FILE));
  return {
    build: build.value,
    folder: license.dir,
    readRevocations: () => readRevocations(lists, build.value, folders.map(createRevocationCopy)),
    openRecords: () => openRecords(placesOf().map((place) => withPatience(place))),
    openHolderKey: () => ensureHolderKey(placesOf(HOLDER_KEY_FILE)),
    readFacts: (depth) => readFacts({ depth, deadlineMs: FACTS_DEADLINE_MS }),
    clocks: { nowMs: Date.now, upMs: () => performance.now() },
  };
}
