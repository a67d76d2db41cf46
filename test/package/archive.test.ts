import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { createGunzip } from 'node:zlib';
import { extract, type Header } from 'tar-stream';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Manifest } from '../../scripts/package/manifest.ts';
import { packageRoot } from '../support/server.ts';
import { canBuildArchives, openTestArchive, type TestArchive } from '../support/test-archive.ts';

const run = promisify(execFile);

describe.skipIf(!canBuildArchives)('the archive', () => {
  let archive: TestArchive;
  let manifest: Manifest;
  beforeAll(async () => {
    archive = await openTestArchive();
    manifest = JSON.parse(await read('MANIFEST.json')) as Manifest;
  });
  const at = (path: string) => join(archive.folder, path);
  const read = (path: string) => readFile(at(path), 'utf8');
  const git = async (...args: string[]) =>
    (await run('git', args, { cwd: packageRoot })).stdout.trim();

  test('is whole and signed, as its own program says without this host having Node', async () => {
    const verify = ['bin/verify-archive.mjs', archive.folder, '--key', 'release-key.pub'];
    const { stdout } = await run('./runtime/node', verify, { cwd: archive.folder, env: {} });
    expect(stdout).toBe(
      `edge-infer ${archive.version} (cpu): ${manifest.files.length} files, whole and signed\n`,
    );
  });

  test('its hashes can be checked before anything of it runs', async () => {
    const { stdout } = await run('sha256sum', ['--check', 'SHA256SUMS'], { cwd: archive.folder });
    const checked = stdout.trimEnd().split('\n');
    expect(checked.every((line) => line.endsWith(': OK'))).toBe(true);
    // All but the list itself, the manifest and its signature.
    expect(checked).toHaveLength(manifest.files.length - 1);
  });

  test('the signature can be checked with OpenSSL', async () => {
    const script =
      '{ printf \'edge-infer release manifest v1\\n\'; cat MANIFEST.json; } > "$1" && openssl pkeyutl -verify -pubin -inkey release-key.pub -rawin -in "$1" -sigfile MANIFEST.sig';
    const signed = `${archive.folder}.signed`;
    const { stdout } = await run('sh', ['-c', script, 'sh', signed], { cwd: archive.folder });
    expect(stdout).toContain('Signature Verified Successfully');
  });

  test('holds one folder, of root, readable for all, from the time of the commit', async () => {
    const headers: Header[] = [];
    const reader = extract().on('entry', (header, stream, next) => {
      headers.push(header);
      stream.on('end', next).resume();
    });
    await pipeline(createReadStream(archive.file), createGunzip(), reader);
    const time = 1000 * Number(await git('log', '-1', '--format=%ct'));
    const top = `edge-infer-${archive.version}`;
    const names = headers.map(({ name }) => name.replace(/\/$/, ''));
    expect(names[0]).toBe(top);
    expect(names.every((name) => name === top || name.startsWith(`${top}/`))).toBe(true);
    expect(new Set(names).size).toBe(names.length);
    const kinds = headers.map(
      ({ type, mode, uid, gid, mtime }) =>
        `${type} ${mode?.toString(8)} ${uid} ${gid} ${mtime?.getTime()}`,
    );
    expect(new Set(kinds)).toEqual(
      new Set([`directory 755 0 0 ${time}`, `file 644 0 0 ${time}`, `file 755 0 0 ${time}`]),
    );
  });

  test('the manifest says what it is and what a host must have', async () => {
    const { dependencies } = JSON.parse(await readFile(join(packageRoot, 'package.json'), 'utf8'));
    expect(manifest).toMatchObject({
      ...{ format: 1, product: 'edge-infer', version: archive.version, flavor: 'cpu' },
      commit: await git('rev-parse', 'HEAD'),
      dirty: (await git('status', '--porcelain')) !== '',
      node: process.versions.node,
      onnxruntime: dependencies['onnxruntime-node'],
      requirements: {
        architecture: 'x86_64',
        // Debian 10, Red Hat 8 and all that came after.
        ...{ glibc: '2.28', glibcxx: '3.4.22' },
        libraries: [
          ...['ld-linux-x86-64.so.2', 'libc.so.6', 'libdl.so.2', 'libgcc_s.so.1', 'libm.so.6'],
          ...['libpthread.so.0', 'libresolv.so.2', 'librt.so.1', 'libstdc++.so.6'],
        ],
      },
    });
    const sizes = manifest.files.reduce((sum, { size }) => sum + size, 0);
    expect(manifest.requirements.diskBytes).toBeGreaterThan(sizes);
    const packaged = JSON.parse(await read('app/package.json')) as { version: string };
    expect(packaged.version).toBe(archive.version);
    // The day before which no right clock stands is the commit's, whatever the working tree says.
    const shipped = JSON.parse(await read('app/license/build.json')) as object;
    const here = await readFile(join(packageRoot, 'license/build.json'), 'utf8');
    expect(shipped).toEqual({ ...JSON.parse(here), built: manifest.built.slice(0, 10) });
  });

  test('holds nothing that is not loaded', () => {
    const paths = manifest.files.map(({ path }) => path);
    const useless = paths.filter((path) => /\.(d\.[cm]?ts|map|flow)$|\/tests?\//.test(path));
    expect(useless).toEqual([]);
    const binding = paths.filter((path) => path.endsWith('onnxruntime_binding.node'));
    expect(binding).toHaveLength(1);
    expect(paths.filter((path) => path.startsWith('app/license/'))).toEqual([
      ...['app/license/README.md', 'app/license/build.json'],
    ]);
    // Development's are 300 packages.
    expect(paths.join()).not.toMatch(/node_modules\/(vitest|typescript|@biomejs|fast-check)\//);
  });

  test('carries the licence of every package and of all else that others made', async () => {
    const packages = manifest.files.filter(({ path }) =>
      /^app\/(.*\/)?node_modules\/(@[^/]+\/)?[^/]+\/package\.json$/.test(path),
    );
    expect(packages.length).toBeGreaterThan(50);
    const missing: string[] = [];
    for (const { path } of packages) {
      const { name, version } = JSON.parse(await read(path)) as Record<string, string>;
      const texts = await readdir(at(`third-party-licenses/${name}@${version}`)).catch(() => []);
      if (texts.length === 0) missing.push(`${name}@${version}`);
    }
    expect(missing).toEqual([]);
    for (const name of ['node', 'libatomic', 'libjpeg-turbo', 'efficientnet-lite0']) {
      expect(await readdir(at(`third-party-licenses/${name}`))).toHaveLength(1);
    }
  });

  test('the parts list is valid CycloneDX and names what is shipped, exactly', async () => {
    const text = await read('sbom.cdx.json');
    expect(await validate(text)).toBeNull();
    expect(await validate(text.replace('"CycloneDX"', '"Other"'))).not.toBeNull();
    const { components, metadata } = JSON.parse(text) as Bom;
    expect(metadata.component.version).toBe(archive.version);
    const listed = components
      .flatMap(({ properties = [] }) => properties)
      .filter(({ name }) => name === 'cdx:npm:package:path')
      .map(({ value }) => value);
    const shipped = manifest.files.flatMap(({ path }) => {
      const [, folder] = /^app\/((?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path) ?? [];
      return folder === undefined ? [] : [folder];
    });
    expect(new Set(listed)).toEqual(new Set(shipped));
    const others = components.filter(({ purl = '' }) => !purl.startsWith('pkg:npm/'));
    expect(others.map(({ name }) => name)).toEqual([
      ...['node', 'onnxruntime', 'libvips', 'libjpeg-turbo', 'libatomic', 'efficientnet-lite0'],
    ]);
    expect(others[0]).toMatchObject({ version: process.versions.node });
    expect(others[0]?.components).toContainEqual(
      expect.objectContaining({ name: 'openssl', version: process.versions.openssl }),
    );
  });

  test('the hash that is told of the key is that of its file', async () => {
    const pem = await readFile(at('release-key.pub'));
    expect(createHash('sha256').update(pem).digest('hex')).toBe(archive.key.fingerprint);
  });
});

interface Bom {
  readonly metadata: { readonly component: { readonly version: string } };
  readonly components: readonly {
    readonly name: string;
    readonly purl?: string;
    readonly properties?: readonly { readonly name: string; readonly value: string }[];
    readonly components?: readonly unknown[];
  }[];
}

/** The generator's own validator; null where nothing is wrong. */
async function validate(text: string): Promise<unknown> {
  const generator = join(packageRoot, 'node_modules/@cyclonedx/cyclonedx-npm/index.js');
  const { Validation, Spec } = createRequire(generator)('@cyclonedx/cyclonedx-library');
  return new Validation.JsonStrictValidator(Spec.Version.v1dot6).validate(text);
}
