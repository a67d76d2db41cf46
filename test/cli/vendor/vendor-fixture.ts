import { generateKeyPairSync } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  encryptKey,
  generateKey,
  type KeyFile,
  MIN_COST,
  type NewKey,
} from '../../../src/cli/vendor/key-file.ts';
import type { ComponentKind } from '../../../src/hardware/components.ts';
import { createLicenseBuild, type LicenseBuild } from '../../../src/licensing/build-keys.ts';
import { exportPublicKey } from '../../../src/licensing/keys.ts';
import { writeRelease } from '../../../src/licensing/release.ts';
import type { LicenseRequest } from '../../../src/licensing/request.ts';
import { writeRequestFile, writeRequestGroups } from '../../../src/licensing/request-texts.ts';
import { type License, verifyLicense } from '../../../src/licensing/verify-license.ts';
import { type CliResult, makeFolder, runCli } from '../../support/run-cli.ts';

export const passphrase = 'correct horse battery';
const keys = {
  trial: generateKey('trial'),
  permanent: generateKey('permanent'),
  nextPermanent: generateKey('permanent'),
  /** In no build. */
  stranger: generateKey('permanent'),
};
const keyFiles = Object.fromEntries(
  await Promise.all(
    Object.entries(keys).map(async ([name, key]) => [
      name,
      await encryptKey(key, passphrase, MIN_COST),
    ]),
  ),
) as Record<keyof typeof keys, KeyFile>;

const host = generateKeyPairSync('ed25519').privateKey;

export interface Vendor {
  readonly folder: string;
  readonly keys: Readonly<Record<keyof typeof keys, NewKey['entry']>>;
  readonly build: LicenseBuild;
  /** Runs `vendor` with this vendor's build, register and passphrase, in the folder. */
  run(...args: readonly string[]): Promise<CliResult>;
  /** The licence in a file of the folder, which releases of the build must accept. */
  readLicense(file: string): Promise<License>;
  /** Signs with the host's key what the host of `host.req` would sign. */
  writeRelease(file: string, licId: string, key?: typeof host): Promise<void>;
}

/**
 * A vendor's folder with `trial.key`, `permanent.key`, `next-permanent.key`, `stranger.key`,
 * `build.json`, and requests: `host.req`, the same typed in `groups.txt`, `other.req`, `weak.req` (a virtual machine without UUID), `container.req`, `cards.req` (two cards).
 */
export async function createVendor(): Promise<Vendor> {
  const folder = await makeFolder();
  const at = (name: string) => join(folder, name);
  await writeFile(at('trial.key'), JSON.stringify(keyFiles.trial));
  await writeFile(at('permanent.key'), JSON.stringify(keyFiles.permanent));
  await writeFile(at('next-permanent.key'), JSON.stringify(keyFiles.nextPermanent));
  await writeFile(at('stranger.key'), JSON.stringify(keyFiles.stranger));
  const { trial, permanent, nextPermanent } = keys;
  const buildFile = {
    product: 'edge-infer',
    built: '2026-11-22',
    keys: [trial.entry, permanent.entry, nextPermanent.entry],
    evaluation: { enabled: false, days: 30 },
  };
  await writeFile(at('build.json'), JSON.stringify(buildFile));
  await writeFile(at('host.req'), writeRequestFile(createRequest(host)));
  await writeFile(at('groups.txt'), writeRequestGroups(createRequest(host)));
  const other = generateKeyPairSync('ed25519').privateKey;
  await writeFile(at('other.req'), writeRequestFile(createRequest(other)));
  const withoutUuid = { ...createRequest(host), machine: 'virtual' } as const;
  const copyable = withoutUuid.components.filter(({ kind }) => kind !== 'product-uuid');
  await writeFile(at('weak.req'), writeRequestFile({ ...withoutUuid, components: copyable }));
  const container = { ...createRequest(host), machine: 'container' } as const;
  await writeFile(at('container.req'), writeRequestFile(container));
  const cards = { ...createRequest(host), gpus: [hash(101), hash(102)] };
  await writeFile(at('cards.req'), writeRequestFile(cards));
  const build = createLicenseBuild(buildFile);
  return {
    folder,
    keys: {
      trial: trial.entry,
      permanent: permanent.entry,
      nextPermanent: nextPermanent.entry,
      stranger: keys.stranger.entry,
    },
    build,
    run: (command = '', ...args) =>
      runCli(['vendor', command, ...args], {
        cwd: folder,
        env: {
          EDGE_INFER_VENDOR_PASSPHRASE: passphrase,
          XDG_DATA_HOME: at('data'),
        },
      }),
    async readLicense(file) {
      const verdict = verifyLicense(await readFile(at(file)), build);
      if (!verdict.ok) {
        throw new Error(`${file}: ${verdict.error.detail}`);
      }
      return verdict.value;
    },
    async writeRelease(file, licId, key = host) {
      await writeFile(at(file), writeRelease({ licId, time: 1_800_000_000 }, key));
    },
  };
}

const kinds: readonly ComponentKind[] = ['product-uuid', 'board-serial', 'root-disk', 'machine-id'];

function createRequest(key: typeof host): LicenseRequest {
  return {
    salt: Buffer.alloc(16, 7).toString('base64url'),
    holder: exportPublicKey(key),
    machine: 'bare-metal',
    components: kinds.map((kind, index) => ({ kind, hash: hash(index) })),
    gpus: [],
  };
}

function hash(number: number): string {
  return Buffer.alloc(8, number).toString('base64url');
}
