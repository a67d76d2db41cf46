import { readdir, readFile, readlink } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { exitCodes } from '../../src/core/errors.ts';
import { describeOtherAddress, takePassedSockets } from '../../src/systemd/listen-fds.ts';
import { runCli } from '../support/run-cli.ts';
import { startHeldServer } from './holder.ts';

const anyAddress = '127.0.0.1:0';
const oneWorker = ['--workers', '1'];
/** Callers wait in the socket while the model loads, but not for as long as a busy machine may take. */
const expectReady = (port: number | undefined) =>
  expect
    .poll(async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status, { timeout: 40_000 })
    .toBe(200);

test('both addresses are served on sockets that were passed, and the log says where', async () => {
  await using held = await startHeldServer({
    sockets: [`service=${anyAddress}`, `admin=${anyAddress}`],
    flags: [...oneWorker, '--port', '0', '--admin.port', '0'],
  });
  await expectReady(held.ports.get('service'));
  await expectReady(held.ports.get('admin'));
  const [service, admin] = [held.ports.get('service'), held.ports.get('admin')];
  expect(held.stdout()).toContain(`"port":${service},"adminPort":${admin},"msg":"listening"`);
  expect(held.stdout()).not.toContain('"level":"warn"');

  const pid = await held.serverPid();
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8');
  expect(environment).toContain('LISTEN_FDS=2'); // as it was started
  expect(await findDescriptorsForChildren(pid)).toEqual([]);
  expect(await held.stop()).toBe(0);
});

/** Sockets among the descriptors that a program started by this process would get. */
async function findDescriptorsForChildren(pid: number | undefined): Promise<string[]> {
  const CLOSE_ON_EXEC = 0o2000000;
  const kept: string[] = [];
  for (const fd of await readdir(`/proc/${pid}/fd`)) {
    const flags = /^flags:\s+(\d+)$/m.exec(
      await readFile(`/proc/${pid}/fdinfo/${fd}`, 'utf8'),
    )?.[1];
    const target = await readlink(`/proc/${pid}/fd/${fd}`);
    if (target.startsWith('socket:') && (Number.parseInt(flags ?? '0', 8) & CLOSE_ON_EXEC) === 0) {
      kept.push(`${fd} ${target}`);
    }
  }
  return kept;
}

test('where one socket is passed, the other address is opened as configured', async () => {
  await using held = await startHeldServer({
    sockets: [`service=${anyAddress}`],
    flags: [...oneWorker, '--port', '0', '--admin.port', '0'],
  });
  await expectReady(held.ports.get('service'));
  const adminPort = Number(/"adminPort":(\d+)/.exec(held.stdout())?.[1]);
  await expectReady(adminPort);
});

test('a port that differs from the configuration is warned of with the remedy, and served', async () => {
  await using held = await startHeldServer({
    sockets: [`service=${anyAddress}`],
    flags: [...oneWorker, '--port', '24499', '--admin.port', '0'],
  });
  const port = held.ports.get('service');
  await expectReady(port);
  expect(held.stdout()).toContain(
    `the service socket that systemd passed listens on 127.0.0.1:${port}, the configuration says 127.0.0.1:24499; run install.sh again`,
  );
});

test('a socket for all addresses in IPv6 serves both families', async () => {
  await using held = await startHeldServer({
    sockets: [`service=${anyAddress},tcp6`],
    flags: [...oneWorker, '--port', '0', '--admin.port', '0', '--host', '0.0.0.0'],
  });
  const port = held.ports.get('service');
  await expectReady(port);
  expect((await fetch(`http://[::1]:${port}/readyz`)).status).toBe(200);
  expect(held.stdout()).not.toContain('"level":"warn"');
});

test.each([
  [
    'a socket that does not take connections',
    `service=${anyAddress},udp`,
    'descriptor 3: expected a TCP socket that listens',
  ],
  ...['unix', 'connected'].map((kind) => [
    `a socket of the kind ${kind}`,
    `service=${anyAddress},${kind}`,
    'descriptor 3: expected a TCP socket that listens',
  ]),
  [
    'a name that is unknown',
    `web=${anyAddress}`,
    'expected FileDescriptorName=service or FileDescriptorName=admin in its socket unit, found the name "web"',
  ],
  ['no name', `=${anyAddress}`, 'found no name'],
])('%s is refused with what was expected', async (_, socket, message) => {
  await using held = await startHeldServer({
    sockets: [socket],
    flags: ['--port', '0', '--admin.port', '0', ...oneWorker],
  });
  expect(await held.ended).toBe(exitCodes.CONFIG);
  expect(held.stderr()).toContain(message);
});

test('every socket that is of no use is named, and the variables go', () => {
  const env: Record<string, string> = {
    LISTEN_PID: '7',
    LISTEN_FDS: '3',
    LISTEN_FDNAMES: 'service:service:web',
  };
  expect(() => takePassedSockets(env, 7)).toThrow(
    /^Sockets that .+:\n {2}descriptor 4: expected one socket named service, found another; .+\n {2}descriptor 5: .+ found the name "web"$/,
  );
  expect(env).toEqual({});
});

test('sockets for another process are left alone', async () => {
  expect(takePassedSockets({ LISTEN_PID: '8', LISTEN_FDS: '1' }, 7)).toEqual({});
  const { exitCode } = await runCli(['serve', '--port', 'x'], {
    env: { LISTEN_PID: '1', LISTEN_FDS: '1', LISTEN_FDNAMES: 'web' },
  });
  expect(exitCode).toBe(exitCodes.CONFIG); // of the port alone
});

test.each([
  ['127.0.0.1', 1, '127.0.0.1', 1, false],
  ['127.0.0.1', 0, '127.0.0.1', 9, false],
  ['localhost', 1, '127.0.0.1', 1, false],
  ['0.0.0.0', 1, '::', 1, false],
  ['127.0.0.1', 1, '127.0.0.1', 2, true],
  ['127.0.0.1', 1, '0.0.0.0', 1, true],
])('configured %s:%i, passed %s:%i', (host, port, actualHost, actualPort, isOther) => {
  const found = describeOtherAddress(
    'service',
    { host, port },
    { host: actualHost, port: actualPort },
  );
  expect(found !== undefined).toBe(isOther);
});
