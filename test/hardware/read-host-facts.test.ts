import { execFile, spawnSync } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { digestValue } from '../../src/hardware/components.ts';
import { readHostFacts } from '../../src/hardware/read-host-facts.ts';
import { runUntil } from '../../src/hardware/run-program.ts';
import { packageRoot } from '../support/server.ts';

const execute = promisify(execFile);
/** Whether this kernel lets a process have mounts and a host name of its own. */
const hasNamespaces =
  spawnSync('unshare', ['--map-root-user', '--mount', '--uts', 'true']).status === 0;

test('reads this host, and tells none of its values', async () => {
  const facts = await readHostFacts({ deadlineMs: 20_000 });
  if (!facts.ok) throw new Error(facts.error);
  expect(facts.value.components.map(({ kind }) => kind)).toContain('cpu-model');
  const machineId = (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim();
  const told = JSON.stringify(facts.value).toLowerCase();
  const addresses = Object.values(networkInterfaces()).flatMap((some) =>
    some?.map(({ mac }) => mac),
  );
  for (const value of [machineId, ...addresses].filter((one) => one && /[1-9a-f]/.test(one))) {
    expect(told).not.toContain(value);
    expect(told).not.toContain(value?.replaceAll(':', ''));
  }
});

test('reads the same twice', async () => {
  const options = { deadlineMs: 20_000 };
  expect(await readHostFacts(options)).toEqual(await readHostFacts(options));
});

test('ends at its deadline with a reason', async () => {
  expect(await readHostFacts({ deadlineMs: 1 })).toEqual({
    ok: false,
    error: 'the hardware could not be read within 1 ms',
  });
});

test('a program is over at the deadline', async () => {
  const run = runUntil(performance.now() + 300);
  const mark = `${process.pid}.25`; // an odd number of seconds, to find the sleep by
  expect(await run('sh', ['-c', `exec sleep ${mark}`])).toBeUndefined();
  await expect.poll(() => spawnSync('pgrep', ['-f', `sleep ${mark}`]).stdout.toString()).toBe('');
});

test('a program that is missing or fails says nothing', async () => {
  const run = runUntil(performance.now() + 5000);
  expect(await run('no-such-program-of-edge-infer', [])).toBeUndefined();
  expect(await run('sh', ['-c', 'echo wrong; exit 3'])).toBeUndefined();
  expect(await run('echo', ['right'])).toBe('right\n');
});

const askMachineId = [
  process.execPath,
  `${packageRoot}/src/hardware/library-main.ts`,
  'machine-id',
];

test('the library is asked for a machine id as the files would tell it', async () => {
  const id = (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim();
  const [program = '', ...programArguments] = askMachineId;
  const { stdout } = await execute(program, programArguments);
  const expected = /^[0-9a-f]{32}$/.test(id)
    ? [{ kind: 'machine-id', digest: digestValue('machine-id', id) }]
    : [];
  expect(JSON.parse(stdout)).toEqual(expected);
});

test.skipIf(!hasNamespaces)('a host name is taken for no machine id', async () => {
  // A name that looks like an id, on a system without one: the library answers it as if it were.
  const name = 'a1b2c3d4e5f60718293a4b5c6d7e8f90';
  const script = `hostname ${name}
    if [ -d /var/lib/dbus ]; then mount -t tmpfs none /var/lib/dbus; fi
    if [ -e /etc/machine-id ]; then mount --bind /dev/null /etc/machine-id; fi
    ${askMachineId.join(' ')}`;
  const namespaces = ['--map-root-user', '--mount', '--uts'];
  const { stdout } = await execute('unshare', [...namespaces, 'sh', '-ec', script]);
  expect(JSON.parse(stdout)).toEqual([]);
});
