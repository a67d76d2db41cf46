import { once } from 'node:events';
import { chmod } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { writePrograms } from '../../support/fake-programs.ts';
import { createOperator, readJsonStatus } from './operator-fixture.ts';
import { startServing } from './serving-fixture.ts';

const operator = await createOperator();
const { home, run, claims, write, licenses } = operator;
const permanent = { kind: 'permanent' };

const { adminPort } = await startServing(operator);
const admin = ['--admin.port', adminPort];

describe('license status beside a running server', () => {
  test('waits for what was just installed, and says who says so', async () => {
    await write(claims(permanent), 'a.lic');
    expect(await run('license', 'install', 'a.lic', ...admin)).toMatchObject({ exitCode: 0 });
    const { exitCode, stdout } = await run('license', 'status', ...admin);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^imagenet: VALID, requests are answered\n/);
    expect(stdout).toContain('\nSo says the server that is running.\n');
    const { status } = await readJsonStatus(operator, ...admin);
    expect(status).toMatchObject({
      isRunning: true,
      services: [{ state: 'VALID', file: 'lic-of-a-test.lic' }],
    });
    expect(status.services[0]).not.toHaveProperty('foundHere');
  });

  test('tells what callers are answered where it would decide otherwise', async () => {
    const args = [...admin, '--device', 'cuda']; // the server runs on the CPU
    const { exitCode, status } = await readJsonStatus(operator, ...args);
    expect(exitCode).toBe(0);
    expect(status.services).toMatchObject([
      { state: 'VALID', isServed: true, foundHere: { state: 'GPU_MISMATCH' } },
    ]);
    const { stdout } = await run('license', 'status', ...args);
    expect(stdout).toMatch(/^imagenet: VALID, requests are answered\n/);
    expect(stdout).toMatch(
      /This command, as another user .+ finds: GPU_MISMATCH, the licence is for/,
    );
  });

  test('passes over a server that has other licences', async () => {
    const other = join(home, 'others');
    const { exitCode, status } = await readJsonStatus(operator, ...admin, '--license.dir', other);
    expect(exitCode).toBe(1);
    expect(status).toMatchObject({ isRunning: false, services: [{ state: 'NOT_FOUND' }] });
  });
});

describe('license status beside something else', () => {
  const answers = new Map([
    ['no JSON', '<html>'],
    ['another document', '{"services":[]}'],
    ['a state of another release', report('BEWITCHED')],
    ['no end', undefined],
  ]);
  function report(state: string, device?: string): string {
    const license = { state, detail: 'as told', remedy: '' };
    return JSON.stringify({
      ...{ status: 'ready', version: '9.9.9', uptimeS: 1, licenseFolder: licenses },
      configuration: { takenAt: new Date().toISOString(), problems: [] },
      services: [{ deployName: 'imagenet', state: 'ready', device, license }],
    });
  }
  let answer: string | undefined;
  const other = createServer((_, response) => {
    response.write(answer ?? 'x');
    if (answer !== undefined) response.end();
  }).listen(0, '127.0.0.1');
  afterAll(() => other.close().closeAllConnections());

  async function look() {
    const { port } = other.address() as AddressInfo;
    return await readJsonStatus(operator, '--admin.port', String(port));
  }

  test.each([...answers])('goes by what lies here: %s', async (_, text) => {
    answer = text;
    const { exitCode, status } = await look();
    expect(exitCode).toBe(0);
    expect(status).toMatchObject({ isRunning: false, services: [{ state: 'VALID' }] });
  });

  test('goes by the device that the server took', async () => {
    answer = report('GPU_MISMATCH', 'cuda');
    const { exitCode, status } = await look();
    expect(exitCode).toBe(1);
    expect(status.services).toMatchObject([{ state: 'GPU_MISMATCH', isServed: false }]);
  });
});

test('license status does not wake a stopped service through the socket that systemd holds', async () => {
  let connections = 0;
  const held = createServer()
    .on('connection', () => connections++)
    .listen(0, '127.0.0.1');
  await once(held, 'listening');
  afterAll(() => held.close().closeAllConnections());
  const { port } = held.address() as AddressInfo;
  const units = (service: string) =>
    [
      `Id=edge-infer.service\nLoadState=loaded\nActiveState=${service}`,
      `Id=edge-infer-admin.socket\nLoadState=loaded\nActiveState=active\nListen=127.0.0.1:${port} (Stream)`,
    ].join('\n\n');
  const look = async (service: string) => {
    const PATH = await writePrograms({ systemctl: `cat <<'END'\n${units(service)}\nEND` });
    await chmod(PATH.split(delimiter)[0] ?? '', 0o755); // the operator is no root
    return await readJsonStatus(operator.under({ PATH }), ...admin);
  };
  for (const state of ['inactive', 'failed', 'deactivating']) {
    expect((await look(state)).status).toMatchObject({ isRunning: false });
  }
  expect(connections).toBe(0);
  await look('active'); // one that runs is asked there, whatever the configuration says
  expect(connections).toBeGreaterThan(0);
});
