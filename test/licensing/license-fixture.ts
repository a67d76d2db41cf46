import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hostKey, testBuildFile, testKeys } from '../../scripts/license-vectors/test-keys.ts';
import { ok } from '../../src/core/result.ts';
import type { HostFacts } from '../../src/hardware/components.ts';
import { writeArmour } from '../../src/licensing/armour.ts';
import { type BuildFile, createLicenseBuild } from '../../src/licensing/build-keys.ts';
import {
  composeGpuFingerprint,
  composeHostFingerprint,
  offerHardware,
} from '../../src/licensing/compose.ts';
import { sealEnvelope } from '../../src/licensing/envelope.ts';
import type { LicenseKind } from '../../src/licensing/keys.ts';
import { REVOCATION_FILE } from '../../src/licensing/license-folder.ts';
import { createRecordFile } from '../../src/licensing/record-file.ts';
import { openRecords } from '../../src/licensing/records.ts';
import { readRevocations } from '../../src/licensing/revocations.ts';
import type { LicensePlaces, LicenseSources } from '../../src/licensing/sources.ts';
import { readRecordedHost } from '../support/recorded-host.ts';

const SALT = 'AAECAwQFBgcICQoLDA0ODw';
const SECOND_MS = 1000;
export const DAY_S = 86_400;

/** A moment after the test build's release. */
export const startMs = Date.parse('2026-12-01T12:00:00Z');
const startS = startMs / SECOND_MS;

export const bareMetal = await readRecordedHost('bare-metal');

interface Change {
  readonly kind?: LicenseKind;
  readonly lic_id?: string;
  readonly deploy_name?: string;
  readonly models?: readonly string[];
  readonly updates_until?: string;
  readonly container?: 'allow' | 'deny';
}

/** The claims of a licence for a recorded host: a trial of 30 days from `startMs` unless changed. */
export function claimsFor(facts: HostFacts, change: Change = {}) {
  const fp = composeHostFingerprint(offerHardware(facts, SALT), { strict: false });
  if (!fp.ok) throw new Error(fp.error);
  return { ...commonClaims(change), tier: 'cpu', fp: fp.value };
}

/** The same for the first graphics card of a recorded host. */
export function cardClaimsFor(facts: HostFacts, change: Change = {}) {
  const fp = composeGpuFingerprint(offerHardware(facts, SALT));
  if (!fp.ok) throw new Error(fp.error);
  return { ...commonClaims(change), tier: 'gpu', fp: fp.value };
}

function commonClaims({ kind = 'trial', ...change }: Change) {
  return {
    lic_id: `${kind}-0001`,
    customer: 'Example Works',
    product: 'edge-infer',
    deploy_name: 'imagenet',
    kind,
    iat: startS,
    ...(kind === 'trial' ? { exp: startS + 30 * DAY_S } : {}),
    holder: hostKey.publicKey,
    container: 'deny',
    ...change,
  };
}

/** A licence file, signed with the test key of its kind. */
export function writeLicense(claims: { readonly kind: LicenseKind }): string {
  const { kid, privateKey } = testKeys[claims.kind];
  const payload = Buffer.from(JSON.stringify(claims));
  return writeArmour('LICENSE', sealEnvelope('LICENSE', { kid, payload }, privateKey));
}

/** Puts a licence into a folder the way `license install` does: whole or not at all. */
export async function putLicense(folder: string, name: string, text: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, `${name}.new`), text);
  await rename(join(folder, `${name}.new`), join(folder, name));
}

export async function takeLicense(folder: string, name: string): Promise<void> {
  await rm(join(folder, name));
}

/** A host that a test moves about in time and changes the hardware of. */
export interface TestHost {
  nowMs: number;
  upMs: number;
  facts: HostFacts;
  /** What was asked of the hardware, in order. */
  readonly reads: string[];
  openSources(places: LicensePlaces): LicenseSources;
}

export function createTestHost(build: Partial<BuildFile> = {}): TestHost {
  const host: TestHost = {
    nowMs: startMs,
    upMs: 0,
    facts: bareMetal,
    reads: [],
    openSources: ({ stateDir, license }) => ({
      build: createLicenseBuild({ ...testBuildFile, ...build }),
      folder: license.dir,
      readRevocations: () =>
        readRevocations(
          [join(license.dir, REVOCATION_FILE)],
          createLicenseBuild({ ...testBuildFile, ...build }),
        ),
      openRecords: () =>
        openRecords([createRecordFile(stateDir), createRecordFile(license.recordsDir)]),
      openHolderKey: async () => ok(hostKey.privateKey),
      readFacts: async (depth) => {
        host.reads.push(depth);
        return ok(host.facts);
      },
      clocks: { nowMs: () => host.nowMs, upMs: () => host.upMs },
    }),
  };
  return host;
}
