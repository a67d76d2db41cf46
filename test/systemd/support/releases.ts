/** Signed releases made from one archive: each is a copy in which a few files differ. */

import { execFileSync } from 'node:child_process';
import { createHash, generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Manifest } from '../../../scripts/package/manifest.ts';
import { createReleaseKey, signManifest } from '../../../scripts/package/signature.ts';

/** New content of a file of the release, made from its old one. */
type Change = (content: string) => string;

export interface Releases extends AsyncDisposable {
  /** The folder that holds all of them. */
  readonly folder: string;
  /** Makes the unpacked release `NAME` of a version, signed by the same vendor unless told otherwise. */
  make(name: string, version: string, options?: MakeOptions): Promise<void>;
}

export interface MakeOptions {
  readonly changes?: Readonly<Record<string, Change>>;
  readonly isOtherVendor?: boolean;
}

const createKey = () => createReleaseKey(generateKeyPairSync('ed25519').privateKey);

export async function unpackAsReleases(archive: string): Promise<Releases> {
  const folder = await mkdtemp(join(tmpdir(), 'edge-infer-releases-'));
  const base = join(folder, '.base');
  execFileSync('mkdir', [base]);
  execFileSync('tar', ['-C', base, '--strip-components=1', '-xzf', archive]);
  const vendor = createKey();

  return {
    folder,
    async make(name, version, { changes = {}, isOtherVendor = false } = {}) {
      const top = join(folder, name);
      // Only links: what is changed is written anew and put in its place.
      execFileSync('cp', ['-al', base, top]);
      const key = isOtherVendor ? createKey() : vendor;
      const setVersion: Change = (text) => JSON.stringify({ ...JSON.parse(text), version });
      const changed = new Map<string, Buffer>([['release-key.pub', Buffer.from(key.pem)]]);
      for (const [path, change] of Object.entries({ 'app/package.json': setVersion, ...changes })) {
        changed.set(path, Buffer.from(change(await readFile(join(base, path), 'utf8'))));
      }
      const old = JSON.parse(await readFile(join(base, 'MANIFEST.json'), 'utf8')) as Manifest;
      const listed = old.files.filter(({ path }) => !changed.has(path) && path !== 'SHA256SUMS');
      const describe = (path: string, bytes: Buffer) => {
        const sha256 = createHash('sha256').update(bytes).digest('hex');
        const mode = old.files.find((file) => file.path === path)?.mode ?? '644';
        return { path, size: bytes.length, mode, sha256 };
      };
      const hashed = [...listed, ...[...changed].map(([path, bytes]) => describe(path, bytes))];
      const sums = Buffer.from(hashed.map(({ sha256, path }) => `${sha256}  ${path}\n`).join(''));
      changed.set('SHA256SUMS', sums);
      const files = [...hashed, describe('SHA256SUMS', sums)];
      const manifest = Buffer.from(`${JSON.stringify({ ...old, version, files }, undefined, 2)}\n`);
      changed.set('MANIFEST.json', manifest);
      changed.set('MANIFEST.sig', signManifest(manifest, key));
      for (const [path, bytes] of changed) {
        const mode = Number.parseInt(describe(path, bytes).mode, 8);
        await writeFile(join(top, `${path}.new`), bytes, { mode });
        await rename(join(top, `${path}.new`), join(top, path));
      }
    },
    async [Symbol.asyncDispose]() {
      await rm(folder, { recursive: true, force: true });
    },
  };
}
