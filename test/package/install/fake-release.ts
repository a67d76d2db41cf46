import { generateKeyPairSync, sign } from 'node:crypto';
import { chmod, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { signedBytes } from '../../../scripts/package/host/bin/verify-archive.mjs';
import { formatHashes } from '../../../scripts/package/manifest.ts';
import { packageRoot } from '../../support/server.ts';

/** health.mjs, which is asked dozens of times a run, without the start of a Node each time. */
const FAKE_NODE = `#!/bin/sh
case $1 in
  */health.mjs)
    told=$(curl -s -m 3 "http://$2/readyz") || { echo "no answer on $2"; exit 1; }
    case "$# $told" in
      "2 "*) case $told in *'"state":"ready"'*) echo imagenet ;; esac ;;
      *'"version":"'"$3"'"'*'"state":"ready"'*) ;;
      *'"version":"'"$3"'"'*) echo 'imagenet is not ready (failed): broken'; exit 2 ;;
      *) echo 'another version answers'; exit 1 ;;
    esac
    ;;
  *) exec ${process.execPath} "$@" ;;
esac
`;

const { privateKey, publicKey } = generateKeyPairSync('ed25519');

export interface FakeReleaseOptions {
  readonly adminPort: number;
  /** `well` serves; `failed` starts and is not ready, `crashing` ends by itself after two answers. */
  readonly behaviour?:
    | 'well'
    | 'failed'
    | 'crashing'
    | 'failing its test'
    | 'failing a new service';
}

/**
 * A release whose installer, units and verifier are the real ones, and whose server only says how it
 * is: for tests of what install.sh makes of that.
 */
export async function makeFakeRelease(
  folder: string,
  version: string,
  { adminPort, behaviour = 'well' }: FakeReleaseOptions,
): Promise<void> {
  await cp(join(packageRoot, 'scripts/package/host'), folder, { recursive: true });
  const unit = join(folder, 'systemd/edge-infer.service');
  await writeFile(unit, `${await readFile(unit, 'utf8')}# of ${version}\n`);
  const addresses = {
    host: '127.0.0.1',
    port: adminPort + 1,
    admin: { host: '127.0.0.1', port: adminPort },
  };
  const license = { state: 'VALID', detail: 'for good' };
  const test = (deployName: string, ok: boolean) => ({
    ...{ deployName, ok, license, examples: [], problems: ok ? [] : ['a wrong answer'] },
  });
  const selfTest = {
    services: [
      test('imagenet', behaviour !== 'failing its test'),
      ...(behaviour === 'failing a new service' ? [test('new', false)] : []),
    ],
    problems: [],
  };
  const server = `
    import { createServer } from 'node:http';
    const services = [{ deployName: 'imagenet', state: '${behaviour === 'failed' ? 'failed' : 'ready'}', problems: ['broken'] }];
    ${behaviour === 'crashing' ? 'let answered = 0;' : ''}
    createServer((_request, response) => {
      response.end(JSON.stringify({ version: '${version}', status: 'ready', services }), () => {
        ${behaviour === 'crashing' ? 'if (++answered === 2) process.exit(1);' : ''}
      });
    }).listen(${adminPort}, '127.0.0.1');
  `;
  await write('runtime/node', FAKE_NODE, 0o755);
  await write('app/src/cli/main.mjs', server);
  await write(
    'bin/edge-infer',
    `#!/bin/sh
release=$(readlink -f "$0")
release=\${release%/bin/*}
case $1 in
  config) echo '${JSON.stringify({ config: addresses })}' ;;
  self-test) echo '${JSON.stringify(selfTest)}' ;;
  serve) exec ${process.execPath} "$release/app/src/cli/main.mjs" ;;
esac
`,
    0o755,
  );
  await write('release-key.pub', publicKey.export({ type: 'spki', format: 'pem' }).toString());
  await writeManifest();

  async function write(path: string, text: string, mode = 0o644): Promise<void> {
    await mkdir(join(folder, path, '..'), { recursive: true });
    await writeFile(join(folder, path), text);
    await chmod(join(folder, path), mode);
  }

  async function writeManifest(): Promise<void> {
    const found = await readdir(folder, { recursive: true, withFileTypes: true });
    const entries = await Promise.all(
      found
        .filter((entry) => entry.isFile())
        .map(async (entry) => {
          const path = join(entry.parentPath, entry.name);
          const bytes = await readFile(path);
          const relative = path.slice(folder.length + 1);
          return { path: relative, bytes, isExecutable: /^(runtime|bin)\//.test(relative) };
        }),
    );
    const sums = formatHashes(entries);
    await write('SHA256SUMS', sums);
    const files = formatHashes([
      ...entries,
      { path: 'SHA256SUMS', bytes: Buffer.from(sums), isExecutable: false },
    ])
      .trim()
      .split('\n')
      .map((line) => {
        const [sha256, path = ''] = line.split('  ');
        const bytes =
          path === 'SHA256SUMS'
            ? sums.length
            : (entries.find((entry) => entry.path === path)?.bytes.length ?? 0);
        return {
          path,
          size: bytes,
          mode: /^(runtime|bin)\/(node|edge-infer)$/.test(path) ? '755' : '644',
          sha256,
        };
      });
    const manifest = {
      ...{
        format: 1,
        product: 'edge-infer',
        version,
        flavor: 'cpu',
        built: '2026-01-01T00:00:00.000Z',
      },
      requirements: {
        architecture: 'x86_64',
        glibc: '2.17',
        cpuFlags: ['sse2'],
        diskBytes: 1_000_000,
        memoryBytes: 1_000_000,
      },
      files,
    };
    const bytes = Buffer.from(`${JSON.stringify(manifest, undefined, 2)}\n`);
    await writeFile(join(folder, 'MANIFEST.json'), bytes);
    await writeFile(join(folder, 'MANIFEST.sig'), sign(null, signedBytes(bytes), privateKey));
  }
}
