import { execFile } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import { makeVectors } from '../scripts/license-vectors/vectors.ts';
import { wireErrors } from '../src/core/errors.ts';
import { maxDocumentBytes } from '../src/licensing/armour.ts';
import { exportPublicKey } from '../src/licensing/keys.ts';
import { writeRelease } from '../src/licensing/release.ts';
import { findRemedy } from '../src/licensing/remedies.ts';
import { encodeRequest } from '../src/licensing/request.ts';
import { writeRequestFile } from '../src/licensing/request-texts.ts';
import { type LicenseState, licenseStates } from '../src/licensing/states.ts';
import { createOperator } from './cli/license/operator-fixture.ts';
import { copyRelease } from './support/copy-release.ts';
import { readBlocks } from './support/read-blocks.ts';
import { makeFolder } from './support/run-cli.ts';
import { packageRoot } from './support/server.ts';

const run = promisify(execFile);
const readme = await readFile(join(packageRoot, 'license/README.md'), 'utf8');

/** A section of the page, from its heading to the next one of its kind. */
function readSection(heading: string): string {
  const section = readme.split(/^## /m).find((text) => text.startsWith(`${heading}\n`));
  if (section === undefined) throw new Error(`expected a section "${heading}"`);
  return section;
}

/** What stands between two marks, to be kept equal to the program. */
function readMarked(mark: string): string {
  return new RegExp(`^<!-- ${mark} -->\n(.*?)^<!-- /${mark} -->$`, 'ms').exec(readme)?.[1] ?? '';
}

describe("the vendor's page", () => {
  let clone: string;
  let shell: (script: string) => Promise<string>;
  const host = generateKeyPairSync('ed25519').privateKey;

  beforeAll(async () => {
    clone = await copyRelease();
    const bin = join(clone, 'bin');
    await mkdir(bin);
    const launcher = `#!/bin/sh\nexec '${process.execPath}' '${join(clone, 'src/cli/main.ts')}' "$@"\n`;
    await writeFile(join(bin, 'edge-infer'), launcher, { mode: 0o755 });
    const home = await makeFolder();
    const env = {
      HOME: home,
      PATH: `${bin}${delimiter}${process.env.PATH}`,
      EDGE_INFER_VENDOR_PASSPHRASE: 'correct horse battery staple',
    };
    await run('git', ['init', '--quiet', clone]);
    shell = async (script) => (await run('bash', ['-ec', script], { cwd: clone, env })).stdout;
    const holders = { 'acme.req': host, 'acme-new.req': undefined, 'acme-third.req': undefined };
    for (const [name, key = generateKeyPairSync('ed25519').privateKey] of Object.entries(holders)) {
      const request = {
        salt: Buffer.alloc(16, 7).toString('base64url'),
        holder: exportPublicKey(key),
        machine: 'bare-metal' as const,
        components: (['product-uuid', 'root-disk'] as const).map((kind, index) => ({
          kind,
          hash: Buffer.alloc(8, index).toString('base64url'),
        })),
        gpus: [],
      };
      await writeFile(join(clone, name), writeRequestFile(request));
    }
  });

  async function readClaims(file: string): Promise<{ lic_id: string; kid: string }> {
    const json = await shell(`edge-infer vendor inspect --json ${file}`);
    const { content } = JSON.parse(json) as {
      content: { kid: string; claims: { lic_id: string } };
    };
    return { kid: content.kid, lic_id: content.claims.lic_id };
  }

  test('has commands that run one after the other', async () => {
    const blocks = readBlocks(readSection('The vendor'), 'sh');
    expect(blocks).toHaveLength(7);
    const [keys = '', sale = '', register = '', move = '', ...rest] = blocks;
    await shell(keys);
    expect(await shell(sale)).toMatch(/verdict +in order\nlicence +lic-[0-9a-f]{20}\n/);
    const { lic_id: sold, kid } = await readClaims('acme.lic');
    const listed = await shell(register.replace('lic-00000000000000000001', sold));
    expect(listed).toMatch(/ trial +cpu +.+ live\n.+ permanent +cpu +.+ live\n/);
    await writeFile(join(clone, 'acme.release'), writeRelease({ licId: sold, time: 1 }, host));
    const [released = '', lost = ''] = move.trimEnd().split('\n');
    await shell(released);
    const { lic_id: moved } = await readClaims('acme-new.lic');
    const replace = (script: string) =>
      script
        .replaceAll('lic-00000000000000000002', moved)
        .replaceAll('permanent-0123456789abcdef', kid);
    await shell(replace(lost));
    const [withdraw = '', afterLoss = '', afterLeak = ''] = rest.map(replace);
    expect(await shell(withdraw)).toMatch(new RegExp(`${moved} +machine said to be dead\n`));
    await shell(afterLoss);
    expect(await shell(afterLeak)).toMatch(
      /lic-\w+\.lic +ACME Ltd\nlicences: 1, in \S+resigned\nwithdrawn licences: 1\nlist /,
    );
    expect((await readClaims('acme-second.lic')).kid).not.toBe(kid);
  });
});

describe("the operator's page", () => {
  test('has commands that run one after the other, up to a licence that moved', async () => {
    const { home, release, licenses, vendor, claims, write, environment } = await createOperator();
    const bin = await makeFolder();
    const launcher = `#!/bin/sh\nexec '${process.execPath}' '${join(release, 'src/cli/main.ts')}' "$@"\n`;
    await writeFile(join(bin, 'edge-infer'), launcher, { mode: 0o755 });
    const env = { ...environment, PATH: `${bin}${delimiter}${process.env.PATH}` };
    const paste = async (line: string) =>
      (await run('sh', ['-c', line], { cwd: home, env })).stdout;

    const blocks = readBlocks(readSection('The operator'), 'sh');
    expect(blocks).toHaveLength(5);
    const [ask = '', otherForms = '', install = '', giveUp = '', takeAway = ''] = blocks;
    const [status = '', request = ''] = ask.trimEnd().split('\n');
    await expect(paste(status)).rejects.toMatchObject({
      code: 1,
      stdout: expect.stringContaining('imagenet: NOT_FOUND') as string,
    });
    expect(await paste(request)).toContain('Written to request.txt');
    expect(await paste(otherForms)).toContain('█');
    const issued = await vendor(
      ...['issue', '--request', 'request.txt', '--kind', 'permanent', '--tier', 'cpu'],
      ...['--deploy-name', 'imagenet', '--customer', 'ACME', '--key', 'permanent.key'],
      ...['--out', 'imagenet.lic', '--accept-weak', '--container', 'allow'],
    );
    expect(issued.exitCode, issued.stderr).toBe(0);
    const [licId = ''] = /lic-[0-9a-f]{20}/.exec(issued.stdout) ?? [];
    expect(await paste(install)).toMatch(/imagenet: VALID, by this licence\n(.|\n)+are answered\n/);

    const other = 'lic-of-another';
    await write(claims({ kind: 'permanent', lic_id: other }), `${other}.lic`, licenses);
    const replace = (script: string) => script.replaceAll('lic-00000000000000000002', other);
    await paste(replace(takeAway));
    expect(await readdir(licenses)).toEqual([`${licId}.lic`, `${other}.lic`].toSorted());

    const released = await paste(giveUp.replace('lic-00000000000000000001', licId));
    expect(released).toContain(`Licence ${licId} is given up.`);
    const { exitCode, stdout } = await vendor('inspect', 'proof.txt');
    expect(exitCode, stdout).toBe(0);
  });

  test('names every state with its meaning and the way out', () => {
    const ask = findRemedy('NOT_FOUND').slice(0, -1);
    const inLowerCase = `${ask.charAt(0).toLowerCase()}${ask.slice(1)}`;
    const rows = Object.entries(licenseStates).map(([state, facts]) => {
      const answer = 'fault' in facts ? wireErrors[facts.fault].wireCode : 'answered';
      const remedy = findRemedy(state as LicenseState)
        .replace(ask, 'Ask for a licence')
        .replace(inLowerCase, 'ask for a licence');
      return `| \`${state}\` | ${answer} | ${facts.meaning} | ${remedy || 'Nothing.'} |`;
    });
    const head = ['| state | requests | | what to do |', '|---|---|---|---|'];
    expect(readMarked('states').trimEnd().split('\n')).toEqual([...head, ...rows]);
  });

  test('shows the hardware matrix as it is played', async () => {
    const { stdout } = await run(process.execPath, [
      join(packageRoot, 'scripts/test-license-matrix.ts'),
      '--markdown',
    ]);
    const table = stdout.split('\n').filter((line) => line.startsWith('|'));
    expect(table.length).toBeGreaterThan(20);
    expect(readMarked('matrix').trimEnd().split('\n')).toEqual(table);
  });

  test('links to files that exist', async () => {
    const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path ?? '');
    expect(links.length).toBeGreaterThan(1);
    for (const link of links) {
      await expect(readFile(join(packageRoot, 'license', link), 'utf8')).resolves.not.toBe('');
    }
  });
});

describe('the page of the format', () => {
  test('has a program that writes the licence of the test vectors', async () => {
    const [program = ''] = readBlocks(readme, 'js');
    const args = ['--input-type=module', '-e', program];
    const { stdout } = await run(process.execPath, args, { cwd: packageRoot });
    const vector = await readFile(join(packageRoot, 'license/test-vectors/trial-cpu.lic'), 'utf8');
    expect(stdout).toBe(vector);
    const [shown = ''] = readBlocks(readme, 'text');
    expect(vector).toContain(shown.split('...')[0]);
  });

  test('names every claim, and every document with its size', () => {
    const all = makeVectors().filter(({ name }) => ['every-claim', 'trial-cpu'].includes(name));
    const claims = all.flatMap(({ file }) => {
      const text = file.toString().split('\n').slice(1, -2).join('');
      const { payload } = JSON.parse(Buffer.from(text, 'base64url').toString()) as {
        payload: string;
      };
      return Object.keys(JSON.parse(Buffer.from(payload, 'base64url').toString()) as object);
    });
    expect(new Set(claims).size).toBe(17);
    const rows = [...readme.matchAll(/^\| (`.+?`) \|/gm)].map(([, names]) => names).join();
    for (const claim of claims) {
      expect(rows).toContain(`\`${claim}\``);
    }
    for (const [label, bytes] of Object.entries(maxDocumentBytes)) {
      const size = bytes < 1024 ** 2 ? `${bytes / 1024} KiB` : `${bytes / 1024 ** 2} MiB`;
      expect(readme).toMatch(new RegExp(`\\| \`${label}\` \\| .+ \\| ${size} \\|`));
    }
  });

  test('gives the bytes of a request', () => {
    const bytes = (length: number, value: number) => Buffer.alloc(length, value);
    const encode = (buffer: Buffer) => buffer.toString('base64url');
    const request = encodeRequest({
      salt: encode(bytes(16, 2)),
      holder: encode(bytes(32, 1)),
      machine: 'virtual',
      components: [
        { kind: 'product-uuid', hash: encode(bytes(8, 3)) },
        { kind: 'network-card', hash: encode(bytes(8, 4)) },
      ],
      gpus: [encode(bytes(8, 5))],
    });
    expect(request.subarray(0, -4)).toEqual(
      Buffer.concat([
        Buffer.from([1, 1, 1, 0, 0, 0, 1, 0, 0, 1]),
        ...[bytes(32, 1), bytes(16, 2), bytes(8, 3), bytes(8, 4), bytes(8, 5)],
      ]),
    );
  });
});
