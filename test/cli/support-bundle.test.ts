import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { extract } from 'tar-stream';
import { expect, test } from 'vitest';
import { collectFiles } from '../../src/cli/support-bundle/collect.ts';
import { writePrograms } from '../support/fake-programs.ts';
import { makeFolder, runCli } from '../support/run-cli.ts';
import { goldenFolder, packageRoot, startTestServer } from '../support/server.ts';

const names = [
  ...['CONTENTS.txt', 'doctor.json', 'config.json', 'license.json', 'models.json', 'host.json'],
  ...[
    'release.json',
    'readyz.json',
    'metrics.txt',
    'units.txt',
    'units-state.txt',
    'install.txt',
    'log.txt',
  ],
];

async function unpack(archive: Buffer): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const entry of Readable.from(archive).pipe(extract())) {
    files.set(entry.header.name.replace(/^[^/]+\//, ''), (await buffer(entry)).toString());
  }
  return files;
}

/** This host's own, where it has them: what the program can know of. */
async function readOwnNumbers(): Promise<Record<string, string>> {
  const machineId = await readFile('/etc/machine-id', 'utf8').catch(() => '');
  const cards = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  const outside = cards.find(({ internal }) => !internal);
  const found = { machineId: machineId.trim(), mac: outside?.mac, address: outside?.address };
  return Object.fromEntries(
    Object.entries(found).filter((entry): entry is [string, string] => Boolean(entry[1])),
  );
}

test('nothing that was planted leaves the host, whichever source it was planted in', async () => {
  await using running = await startTestServer();
  const { config, server } = running;
  const image = await readFile(join(goldenFolder, 'coffee.png'));
  const planted: Record<string, string> = {
    ...(await readOwnNumbers()),
    image: image.toString('base64').slice(0, 4000),
    password: 'correct-horse-battery',
    token: randomBytes(24).toString('base64url'),
    key: randomBytes(32).toString('hex'),
    bearer: 'abc.def-ghi',
    uuid: '4c4c4544-0042-3510-8052-b4c04f4e3132',
    otherMac: '3c:ec:ef:12:34:56',
    client: '192.168.77.31',
    client6: 'fd12:3456:789a::17',
    drop: 'geheimes wort',
    comment: 'only-in-a-comment',
    licence: 'only-in-a-licence-file',
    environment: 'only-in-the-environment',
    home: 'mustermann',
  };
  const lines = [
    `license {"password":"${planted.password}","from":"${planted.client}"}`,
    `token=${planted.token} Authorization: Bearer ${planted.bearer}`,
    `{"image":"${planted.image}"}`,
    `-----BEGIN PRIVATE KEY-----\n${planted.key}\n-----END PRIVATE KEY-----`,
    `serial ${planted.uuid} of ${planted.otherMac} at ${planted.client6}, ${planted.key}`,
    `${planted.machineId ?? ''} ${planted.mac ?? ''} ${planted.address ?? ''}`,
    `/home/${planted.home}/x https://me:${planted.password}@example/`,
  ].join('\n');
  const folder = await makeFolder();
  const log = join(folder, 'log');
  await writeFile(log, lines);
  const unit = `[Service]\nEnvironment="PASSWORD=${planted.drop}" OTHER=${planted.token} EDGE_INFER_WORKERS=1\nSetCredential=x:${planted.drop}\n`;
  await writeFile(join(folder, 'unit'), unit);
  await mkdir(config.license.dir, { recursive: true });
  await writeFile(join(config.license.dir, 'own.lic'), `${planted.licence}\n${lines}`);
  const file = join(folder, 'edge-infer.yaml');
  await writeFile(
    file,
    `# ${planted.comment} ${lines.replaceAll('\n', ' ')}
port: ${server.servicePort}
admin: {port: ${server.adminPort}}
stateDir: ${config.stateDir}
license: {dir: ${config.license.dir}}
`,
  );
  const PATH = await writePrograms({
    systemctl: `case "$1" in cat) cat ${join(folder, 'unit')} ;; *) printf 'Id=edge-infer.service\\nLoadState=loaded\\nActiveState=active\\nStatusText=${planted.client}\\nEnvironment=PASSWORD=${planted.password}\\n' ;; esac`,
    journalctl: `cat ${log}`,
  });
  const bundle = join(folder, 'bundle.tar.gz');
  const { exitCode, stdout } = await runCli(['support-bundle', bundle, '--config', file], {
    env: {
      PATH,
      OWN_SECRET: planted.environment ?? '',
      EDGE_INFER_VENDOR_PASSPHRASE: 'x'.repeat(12),
    },
  });
  expect(exitCode).toBe(0);
  for (const name of names) {
    expect(stdout).toContain(`  ${name} `);
  }
  const archive = gunzipSync(await readFile(bundle));
  const files = await unpack(archive);
  expect([...files.keys()]).toEqual(names);
  const found = Object.entries(planted).flatMap(([kind, value]) =>
    [...files].flatMap(([name, text]) => (text.includes(value) ? [`${kind} in ${name}`] : [])),
  );
  expect(found).toEqual([]);
  // And in no name, owner or other field of the archive itself.
  for (const value of Object.values(planted)) {
    expect(archive.includes(value)).toBe(false);
  }
  expect((await stat(bundle)).mode & 0o777).toBe(0o600);

  // What the vendor needs is still there.
  expect(JSON.parse(files.get('doctor.json') ?? '')).toMatchObject({ format: 1 });
  const model = await readFile(join(packageRoot, 'models/efficientnet-lite0/model.onnx'));
  const sha256 = createHash('sha256').update(model).digest('hex');
  expect(files.get('models.json')).toContain(sha256);
  expect(files.get('readyz.json')).toContain(sha256);
  expect(files.get('metrics.txt')).toContain('edge_infer_build_info');
  expect(files.get('units.txt')).toContain('EDGE_INFER_WORKERS=1');
  expect(files.get('log.txt')).toContain('password');
  expect(hostname()).not.toBe('');
}, 180_000);

test('neither a pipe in the place of a log nor what does not end in time holds it up', async () => {
  const folder = await makeFolder();
  const log = join(folder, 'log');
  await promisify(execFile)('mkfifo', [log]);
  const input = {
    configSources: {
      flags: { 'admin.port': '2' },
      env: {},
      cwd: folder,
      packageRoot,
      userStateDir: join(folder, 'user'),
    },
    logFile: log,
  };
  const texts = async (limitMs?: number) =>
    new Map((await collectFiles(input, limitMs)).map(({ name, text }) => [name, text]));
  // A limit that is over before the first command of its own has ended.
  const late = await texts(300);
  expect(late.get('host.json')).toBe('not collected: it did not end within 0.3 s\n');
  expect(late.get('CONTENTS.txt')).toMatch(/host\.json .*: not collected/);
  const all = await texts();
  expect(all.get('log.txt')).toBe(`not collected: ${log} is no plain file\n`);
  expect(JSON.parse(all.get('host.json') ?? '')).toHaveProperty('rootFileSystem');
}, 180_000);

test('--list writes nothing, and a file that is there is never written over', async () => {
  const folder = await makeFolder();
  const there = join(folder, 'there.tar.gz');
  await writeFile(there, 'mine');
  const own = ['--state-dir', join(folder, 'state'), '--admin.port', '2'];
  const listed = await runCli(['support-bundle', '--list', ...own], { cwd: folder });
  expect(listed.exitCode).toBe(0);
  expect(listed.stdout).toMatch(/^edge-infer-support-\S+\.tar\.gz would hold:\n/);
  expect(listed.stdout).toMatch(/readyz\.json .+not collected/);
  expect(listed.stdout).toMatch(/Nothing was written\.\n$/);
  const refused = await runCli(['support-bundle', there, '--yes', ...own]);
  expect(refused.exitCode).toBe(71);
  expect(refused.stderr).toContain('there is one already');
  expect(await readFile(there, 'utf8')).toBe('mine');
}, 180_000);
