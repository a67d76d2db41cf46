import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { chmod, cp, mkdir, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { examine } from '../../../src/cli/doctor/examine.ts';
import type { DoctorReport } from '../../../src/cli/doctor/report.ts';
import { writePrograms } from '../../support/fake-programs.ts';
import { type CliOptions, makeFolder, runCli } from '../../support/run-cli.ts';
import { packageRoot, startTestServer } from '../../support/server.ts';

const stateDir = await makeFolder();
const own = ['--state-dir', stateDir];
/** Ports that nothing listens on, so that no other server of this host is asked. */
const free = ['--port', '1', '--admin.port', '2'];
const fixtures = join(packageRoot, 'test/fixtures/systemd');

async function doctor(args: readonly string[], options: CliOptions = {}) {
  const { exitCode, stdout, stderr } = await runCli(['doctor', '--json', ...args], options);
  expect(stderr).toBe('');
  return { exitCode, report: JSON.parse(stdout) as DoctorReport };
}

function tell({ findings }: DoctorReport, check: string): string[] {
  return findings
    .filter((finding) => finding.check === check)
    .map(({ severity, found }) => `${severity}: ${found}`);
}

test('a server that runs is found well, in words and as JSON', async () => {
  await using running = await startTestServer();
  const { servicePort, adminPort } = running.server;
  const args = [
    ...['--port', `${servicePort}`, '--admin.port', `${adminPort}`],
    ...['--state-dir', running.config.stateDir],
  ];
  const { exitCode, report } = await doctor(args);
  expect(exitCode).toBe(0);
  expect(report).toMatchObject({ format: 1, ok: true });
  expect(new Set(report.findings.map(({ check }) => check))).toEqual(
    new Set([
      ...['release', 'server', 'unit', 'configuration', 'license', 'models', 'device'],
      ...['addresses', 'disk', 'memory', 'clock'],
    ]),
  );
  expect(tell(report, 'server')).toContain('ok: imagenet: ready, efficientnet-lite0 1 (float32)');
  expect(tell(report, 'license')[0]).toMatch(/^ok: imagenet: TRIAL, /);
  expect(tell(report, 'addresses')).toContain(
    `ok: service address 127.0.0.1:${servicePort}: edge-infer answers`,
  );
  const { stdout } = await runCli(['doctor', ...args]);
  expect(stdout).toMatch(/^ok {7}release {8}edge-infer \d/);
  expect(stdout).toMatch(/\nNo problems, \d+ warnings?, \d+ notes?\./);
});

test('another program on the port is named, with a command that shows it', async () => {
  const stranger = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port } = stranger.address() as AddressInfo;
  const { exitCode, report } = await doctor(['--port', `${port}`, '--admin.port', '2', ...own]);
  stranger.close();
  expect(exitCode).toBe(1);
  const finding = report.findings.find(({ severity }) => severity === 'problem');
  expect(finding).toMatchObject({ check: 'addresses', meaning: expect.stringMatching(/\.$/) });
  expect(finding?.found).toMatch(new RegExp(`^service address 127\\.0\\.0\\.1:${port}: .+`));
});

test('every mistake of the configuration is a problem, and the rest is still looked at', async () => {
  const file = join(await makeFolder(), 'edge-infer.yaml');
  await writeFile(file, 'admin: {port: 2}\nport: 99999\nworkerz: 2\n');
  const { exitCode, report } = await doctor(['--config', file]);
  expect(exitCode).toBe(1);
  const mistakes = report.findings.filter(({ check }) => check === 'configuration');
  expect(mistakes).toHaveLength(2);
  expect(mistakes).toMatchObject([
    { severity: 'problem', command: 'edge-infer config check' },
    { severity: 'problem' },
  ]);
  expect(tell(report, 'memory')).toHaveLength(1);
});

test('a damaged model is told by the file', async () => {
  const model = join(await makeFolder(), 'model');
  await mkdir(model);
  await writeFile(join(model, 'manifest.json'), '{');
  const { exitCode, report } = await doctor(['--services.0.model', model, ...free, ...own]);
  expect(exitCode).toBe(1);
  expect(tell(report, 'models')).toEqual([`problem: ${model}: manifest.json is not JSON`]);
});

test('neither a file that never answers nor a program that hangs holds it up', async () => {
  const folder = join(await makeFolder(), 'model');
  await cp(join(packageRoot, 'models/efficientnet-lite0'), folder, { recursive: true });
  await rm(join(folder, 'model.onnx'));
  await promisify(execFile)('mkfifo', [join(folder, 'model.onnx')]);
  const path = process.env.PATH;
  process.env.PATH = await writePrograms({ systemctl: 'exec sleep 1000' });
  try {
    const examined = await examine(
      {
        flags: { 'services.0.model': folder, port: '1', 'admin.port': '2' },
        env: {},
        cwd: stateDir,
        packageRoot,
        userStateDir: join(stateDir, 'user'),
      },
      20_000,
    );
    const findings = new Map(examined.map(({ check, findings: found }) => [check, found]));
    expect(findings.get('models')).toMatchObject([
      { severity: 'warning', found: 'this could not be checked: it did not end within 20 s' },
    ]);
    expect(findings.get('unit')).toMatchObject([
      { found: 'units are not checked: systemctl did not answer within 5 s' },
    ]);
    expect(findings.get('disk')?.length).toBeGreaterThan(2);
  } finally {
    process.env.PATH = path;
  }
});

/** What a real systemd 252 said of the units (scripts/systemd-lab). */
test.each([
  {
    state: 'running',
    expected: [
      /^ok: edge-infer\.service is active \(running\)/,
      /^ok: edge-infer-admin\.socket is active/,
    ],
  },
  {
    state: 'edited',
    expected: [
      /^warning: edge-infer\.service is not enabled$/,
      /^note: edge-infer\.service has drop-ins: \/etc\/systemd\/system\/edge-infer\.service\.d\/own\.conf$/,
    ],
  },
  {
    state: 'failed',
    expected: [
      /^problem: edge-infer\.service is failed \(failed\): it ended with code 78, the configuration has errors$/,
    ],
  },
  {
    state: 'stopped',
    expected: [
      /^problem: edge-infer\.service is inactive \(dead\)$/,
      /^problem: edge-infer\.socket is inactive \(dead\)$/,
    ],
  },
])('units that are $state', async ({ state, expected }) => {
  const PATH = await writePrograms({
    systemctl: `cat ${join(fixtures, `${state}.txt`)}`,
    journalctl: `cat ${join(fixtures, 'journal.jsonl')}`,
    timedatectl: 'printf "NTPSynchronized=no\\nLocalRTC=yes\\n"',
  });
  const { report } = await doctor([...free, ...own], { env: { PATH } });
  const told = tell(report, 'unit');
  for (const pattern of expected) {
    expect(told).toContainEqual(expect.stringMatching(pattern));
  }
  expect(tell(report, 'log')).toContainEqual(
    expect.stringMatching(/^warning: .*Failed to start .+ ago/),
  );
  expect(tell(report, 'clock')).toContain('warning: the hardware clock runs in local time');
  const address = report.findings.filter(({ check }) => check === 'addresses');
  expect(address.map(({ found }) => found)).toContainEqual(
    expect.stringContaining('edge-infer.socket holds 0.0.0.0 port 24401'),
  );
});

test.runIf(process.geteuid?.() === 0)('another user is told what only root sees', async () => {
  const closed = await makeFolder();
  await chmod(closed, 0o700);
  const state = join(closed, 'state');
  await mkdir(state);
  const { exitCode, report } = await doctor([...free, '--state-dir', state], {
    user: 65_534,
    cwd: '/',
  });
  expect(exitCode).toBe(0);
  expect(report.asRoot).toBe(false);
  expect(tell(report, 'license')).toContain(`note: ${state}: this user may not look there`);
  expect(tell(report, 'disk')[0]).toBe(`note: state ${state}: this user may not look there`);
});
