/** The unit files by themselves, judged by the systemd that is booted. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { packageRoot } from '../support/server.ts';
import { bootServiceLab, type ServiceLab, tell } from './support/service-lab.ts';

const folder = join(packageRoot, 'scripts/package/host/systemd');
const INSTALLED = '/etc/systemd/system';

let lab: ServiceLab;

beforeAll(async () => {
  lab = await bootServiceLab();
});

afterAll(() => lab[Symbol.asyncDispose]());

/** systemd-analyze's own verdict, from 0 (nothing can go wrong) to 10. */
async function readExposure(unit: string): Promise<number> {
  const verdict = await lab.sh(
    `systemd-analyze security --offline=true --no-pager ${INSTALLED}/${unit} | tail -1`,
  );
  const value = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(verdict)?.[1]);
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
  // The instances by which a template is tried, of systemd 252 and of later ones.
  for (const instance of ['i', 'test_instance']) {
    await lab.sh(`ln -s 0.1.0 /opt/edge-infer/releases/${instance}`);
  }
  const verify = async () => {
    const { code, stdout, stderr } = await lab.run(
      `cd ${INSTALLED} && systemd-analyze verify --man=no ${units.map((unit) => `./${unit}`).join(' ')}`,
    );
    return { code, said: stdout + stderr };
  };
  expect(await verify()).toEqual({ code: 0, said: '' });
  const [, version] = /^systemd (\d+)/.exec(await lab.sh('systemctl --version')) ?? [];
  tell(`systemd ${version}`);
  await lab.sh(
    `mkdir -p ${INSTALLED}/edge-infer.service.d && cp /opt/edge-infer/current/systemd/slower-restarts.conf ${INSTALLED}/edge-infer.service.d`,
  );
  const { said } = await verify();
  // Two keys that install.sh leaves to those who know them.
  expect(said === '').toBe(Number(version) >= 254);
});
