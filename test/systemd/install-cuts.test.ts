import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { makeFakeRelease } from '../package/install/fake-release.ts';
import { askVersion, makeFakeHost } from '../package/install/host.ts';

/*
 * Every step of install.sh is cut: everything of it is killed just before its n-th change to the host, for
 * all n. Then the host boots (or not), and the same command runs again. It takes minutes, and a systemd of
 * its own would make hours of them, so this one is played (fake-systemctl.sh).
 */
const FIRST_PORT = 25_800;
const MOST_STEPS = 400;
/** 1 cuts at every step, which takes long; each run begins at another one. */
const STRIDE = Number(process.env.EDGE_INFER_LAB_CUT_STRIDE ?? 25);
const FIRST_STEP = 1 + Math.floor(Math.random() * STRIDE);

const upgrade = { before: [['r1', '--yes']], command: ['r2'], serves: '2.0.0' };
const rollback = {
  before: [...upgrade.before, ['r2']],
  command: ['r2', '--rollback'],
  serves: '1.0.0',
};
const cases = [
  { name: 'installation', before: [], command: ['r1', '--yes'], serves: '1.0.0', boots: false },
  { name: 'upgrade', ...upgrade, boots: false },
  { name: 'upgrade, then a boot', ...upgrade, boots: true },
  { name: 'rollback', ...rollback, boots: false },
  { name: 'rollback, then a boot', ...rollback, boots: true },
  {
    name: 'removal',
    before: upgrade.before,
    command: ['r2', '--uninstall', '--yes'],
    serves: undefined,
    boots: false,
  },
].map((one, index) => ({ ...one, adminPort: FIRST_PORT + 2 * index }));

test.each(cases)('a cut at any step of: $name', { timeout: 1_800_000 }, async (one) => {
  const { before, command, serves, boots, adminPort } = one;
  await using host = await makeFakeHost(boots ? 'busybox' : 'dash');
  await makeFakeRelease(join(host.root, 'r1'), '1.0.0', { adminPort });
  await makeFakeRelease(join(host.root, 'r2'), '2.0.0', { adminPort });
  const install = ([release = '', ...options]: readonly string[], cutAt = 0) =>
    host.run(['sh', join(host.root, release, 'install.sh'), ...options], cutAt);
  const mustServe = before.length > 0 && serves !== undefined;
  for (const each of before) {
    expect(install(each)).toMatchObject({ code: 0 });
  }
  host.keep();
  for (let step = FIRST_STEP; step < MOST_STEPS; step += STRIDE) {
    host.restore();
    const cut = install(command, step);
    if (cut.code === 0) {
      expect(step).toBeGreaterThan(20); // it was cut, and often
      return;
    }
    if (mustServe) {
      expect(await askVersion(adminPort), `after a cut at step ${step}`).toBeDefined();
    }
    if (boots) {
      const booted = host.boot();
      expect(await askVersion(adminPort), `booted at step ${step}: ${booted.output}`).toBeDefined();
      expect(existsSync(join(host.root, 'opt/edge-infer/pending'))).toBe(false);
    }
    expect(install(command), `again after step ${step}`).toMatchObject({ code: 0 });
    expect(await askVersion(adminPort), `again after step ${step}`).toBe(serves);
  }
  expect.fail('the command never came to its end');
});
