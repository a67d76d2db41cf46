/** The unit files by themselves: nothing is booted. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommand } from '../../scripts/systemd-lab/command.ts';
import { packageRoot } from '../support/server.ts';
import { tell } from './support/service-lab.ts';

const folder = join(packageRoot, 'scripts/package/host/systemd');

/** systemd-analyze's own verdict, from 0 (nothing can go wrong) to 10. */
async function readExposure(unit: string): Promise<number> {
  const { stdout } = await runCommand([
    ...['systemd-analyze', 'security', '--offline=true', '--no-pager', join(folder, unit)],
  ]);
  const value = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(stdout)?.[1]);
  tell(`systemd-analyze security ${unit}: ${value}`);
  return value;
}

test.each(['edge-infer.service', 'edge-infer-selftest@.service', 'edge-infer-hardware.service'])(
  '%s is exposed no more than 2.0',
  async (unit) => {
    expect(await readExposure(unit)).toBeLessThanOrEqual(2);
  },
);

/** What a unit may do, who it is and where it may write: the lines that make its sandbox. */
async function readSandbox(unit: string): Promise<string[]> {
  const isSandbox =
    /^(User|DynamicUser|StateDirectory\w*|CacheDirectory\w*|UMask|NoNew|Capab|Ambient|Protect|Private|NoExec|Exec?Paths|Keyring|Lock|Restrict|RemoveIPC|SystemCall|IPAddress|Limit|Memory|Tasks)/;
  const lines = (await readFile(join(folder, unit), 'utf8')).split('\n');
  return lines.filter((line) => isSandbox.test(line) && !line.startsWith('RestartPrevent'));
}

test('a release is tried in the very sandbox that it will run in', async () => {
  const service = await readSandbox('edge-infer.service');
  expect(service.length).toBeGreaterThan(30);
  expect(await readSandbox('edge-infer-selftest@.service')).toEqual(service);
});

test('systemd knows every line of every unit', async () => {
  const units = (await readdir(folder)).filter((name) => /\.(service|socket)$/.test(name));
  expect(units).toHaveLength(6);
  // The programs are not installed on this machine; an existing one stands in for them.
  const copies = await mkdtemp(join(tmpdir(), 'edge-infer-units-'));
  try {
    for (const unit of units) {
      const text = await readFile(join(folder, unit), 'utf8');
      await writeFile(
        join(copies, unit),
        text.replaceAll(/\/opt\/\S+\/bin\/edge-infer/g, '/bin/true'),
      );
    }
    const { code, stdout, stderr } = await runCommand([
      'systemd-analyze',
      'verify',
      '--man=no',
      ...units.map((unit) => join(copies, unit)),
    ]);
    expect({ code, said: stdout + stderr }).toEqual({ code: 0, said: '' });
  } finally {
    await rm(copies, { recursive: true });
  }
});
