/** What doctor makes of a running server's own words and of what an installation has left. */
import { once } from 'node:events';
import { chmod, mkdir, readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { isLocked, readLastInstallation } from '../../../src/cli/doctor/installation.ts';
import type { DoctorReport } from '../../../src/cli/doctor/report.ts';
import { within } from '../../../src/core/within.ts';
import { writePrograms } from '../../support/fake-programs.ts';
import { makeFolder, runCli } from '../../support/run-cli.ts';
import { packageRoot } from '../../support/server.ts';

const readFileText = (path: string) => readFile(join(packageRoot, path), 'utf8');
const stateDir = await makeFolder();

async function doctor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
  const { stdout } = await runCli(
    ['doctor', '--json', '--state-dir', stateDir, '--port', '1', ...args],
    { env },
  );
  return (JSON.parse(stdout) as DoctorReport).findings;
}

test('a refused reload, a hung worker and lines of the log that were dropped', async () => {
  const license = { state: 'VALID', detail: 'as told' };
  const report = {
    ...{ status: 'not ready', version: '9.9.9', uptimeS: 9, licenseFolder: stateDir },
    configuration: {
      takenAt: '2026-11-22T10:00:00.000Z',
      refusedAt: '2026-11-22T11:00:00.000Z',
      problems: ['prot: found an unknown key'],
    },
    services: [
      { deployName: 'imagenet', state: 'hung', problems: ['worker 1 has not answered'], license },
    ],
  };
  const server = createServer(({ url }, response) => {
    response.end(
      url === '/metrics' ? 'edge_infer_log_lines_dropped_total 17\n' : JSON.stringify(report),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const findings = await doctor(['--admin.port', `${port}`]);
  server.close();
  expect(findings).toContainEqual({
    check: 'configuration',
    severity: 'warning',
    found: 'a reload was refused 2026-11-22T11:00:00.000Z: prot: found an unknown key',
    meaning: expect.stringContaining('what it read 2026-11-22T10:00:00.000Z'),
    command: 'sudo systemctl reload edge-infer',
  });
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'server',
      severity: 'problem',
      found: 'imagenet: hung, worker 1 has not answered',
      command: 'sudo systemctl restart edge-infer',
    }),
  );
  expect(findings).toContainEqual(
    expect.objectContaining({
      check: 'log',
      severity: 'warning',
      found: '17 lines of the log were dropped since the server started',
    }),
  );
});

test('a model that the sandbox of the service hides, and one that only its owner may read', async () => {
  const hidden = join(await makeFolder(), 'hidden');
  await mkdir(hidden);
  const look = async (properties: string) => {
    const unit = `Id=edge-infer.service\nLoadState=loaded\nActiveState=inactive\n${properties}`;
    const PATH = await writePrograms({ systemctl: `cat <<'END'\n${unit}\nEND` });
    const findings = await doctor(['--admin.port', '2', '--services.0.model', hidden], { PATH });
    return findings.filter(({ check }) => check === 'models').map(({ found }) => found);
  };
  expect(await look('PrivateTmp=yes')).toContain(
    `${hidden}: the service cannot see it (PrivateTmp= of its unit)`,
  );
  await chmod(hidden, 0o700);
  const closed = await look('PrivateTmp=no');
  expect(closed.filter((found) => found.includes('only its owner may read it'))).toHaveLength(1);
});

test('the last run of install.sh, by its log', async () => {
  const run = (text: string) => `2026-11-22T10:00:00+0000 ${text}\n`;
  const installed = `${run('---- install.sh --install a.tar.gz')}${run('1. Checking this host')}`;
  const failed = `${run('---- install.sh --rollback ')}${run('edge-infer: no release before this one is kept')}${run('  mend: install')}`;
  expect(readLastInstallation('')).toBeUndefined();
  expect(readLastInstallation(`${failed}${installed}`)).toMatchObject({
    call: 'install.sh --install a.tar.gz',
    failure: undefined,
  });
  expect(readLastInstallation(`${installed}${failed}`)).toEqual({
    at: '2026-11-22T10:00:00+0000',
    call: 'install.sh --rollback',
    failure: 'no release before this one is kept',
  });
});

test('who holds a lock, by /proc/locks', () => {
  const locks =
    '1: FLOCK  ADVISORY  WRITE 812 00:1a:4711 0 EOF\n2: POSIX  ADVISORY  WRITE 1 00:1a:99 0 EOF\n';
  expect([4711, 711, 99].map((inode) => isLocked(locks, inode))).toEqual([true, false, false]);
});

test('places and messages are those of install.sh', async () => {
  const places = await readFileText('scripts/package/host/installer/places.sh');
  for (const [name, value] of [
    ['ROOT', '/opt/edge-infer'],
    ['PENDING', '$ROOT/pending'],
    ['UNITS', '/etc/systemd/system'],
    ['LOCK', '/run/edge-infer-install.lock'],
    ['LOG', '/var/log/edge-infer-install.log'],
  ]) {
    expect(places).toContain(`\n${name}=${value}\n`);
  }
  expect(places).toContain('say "edge-infer: $2"');
  expect(await readFileText('scripts/package/host/install.sh')).toContain(
    'log "---- install.sh --',
  );
  const units = await readFileText('scripts/package/host/installer/units.sh');
  expect(units).toContain('kept=$UNITS/$1.edited-$sum');
});

test('what hangs is given up', async () => {
  const { promise: never } = Promise.withResolvers<string>();
  expect((await within(10, never)) ?? 'late').toBe('late');
  expect((await within(10_000, Promise.resolve('here'))) ?? 'late').toBe('here');
});
