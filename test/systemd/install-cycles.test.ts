/**
 * Upgrades and downgrades that are cut at a random moment, by killing the installer or by a power cut:
 * a version serves every time. EDGE_INFER_LAB_CYCLES sets how many (2), EDGE_INFER_LAB_SEED which.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { bootInstallLab, STICK } from './support/installed-lab.ts';
import { tell } from './support/service-lab.ts';

const CYCLES = Number(process.env.EDGE_INFER_LAB_CYCLES ?? 2);
const SEED = Number(process.env.EDGE_INFER_LAB_SEED ?? Math.floor(Math.random() * 2 ** 31));
/** As long as an upgrade takes on a busy machine, so that now and then one comes to its end. */
const LONGEST_MS = 25_000;

test('a version serves after every cut', { timeout: 60_000 + CYCLES * 120_000 }, async () => {
  tell(`EDGE_INFER_LAB_SEED=${SEED}`);
  const random = makeRandom(SEED);
  await using lab = await bootInstallLab(['one', 'two']);
  await lab.install(`${STICK}/1/install.sh --yes`);
  for (let cycle = 1; cycle <= CYCLES; cycle++) {
    const before = await lab.version();
    const to = before === '1.0.0' ? 2 : 1;
    const cutAfterMs = random() * LONGEST_MS;
    const isPowerCut = random() < 0.5;
    const run = lab.run(
      `systemd-run -q --scope --unit=lab-install sh /opt/edge-infer/current/install.sh ${STICK}/${to}`,
      { timeoutMs: 120_000 },
    );
    await Promise.race([run, sleep(cutAfterMs)]);
    if (isPowerCut) {
      await lab.reboot('power-cut');
    } else {
      await lab.run('systemctl kill -s KILL lab-install.scope'); // all that it has started, too
    }
    const { code } = await run;
    await lab.waitUntilReady();
    await lab.sh('systemctl start edge-infer-confirm.service');
    await lab.sh(
      'while [ -e /opt/edge-infer/pending ] && systemctl is-active -q edge-infer-confirm; do sleep 0.2; done',
      { timeoutMs: 120_000 },
    );
    const serves = await lab.version();
    tell(
      `${cycle} of ${CYCLES}: ${before} to ${to}.0.0, ${code === 0 ? 'done' : `cut after ${(cutAfterMs / 1000).toFixed(2)} s`}${isPowerCut ? ', power cut' : ''}: ${serves} serves`,
    );
    expect(['1.0.0', '2.0.0']).toContain(serves);
  }
});

/** mulberry32, so that a seed repeats a run. */
function makeRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
