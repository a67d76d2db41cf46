/** Upgrades under callers: none of them notices. EDGE_INFER_LAB_UPGRADES sets how many (2). */
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { bootInstallLab, STICK } from './support/installed-lab.ts';
import { tell } from './support/service-lab.ts';

const UPGRADES = Number(process.env.EDGE_INFER_LAB_UPGRADES ?? 2);

test('upgrades under 16 callers, half of them kept-alive, fail no request', {
  timeout: 60_000 + UPGRADES * 90_000,
}, async () => {
  await using lab = await bootInstallLab(['one', ...Array<string>(UPGRADES).fill('two')]);
  await lab.install(`${STICK}/1/install.sh --yes`);
  const loads = [lab.startLoad(8, 'keep-alive'), lab.startLoad(8, 'one-each')];
  await sleep(1000);
  const started = performance.now();
  for (let upgrade = 1; upgrade <= UPGRADES; upgrade++) {
    await lab.install(`/opt/edge-infer/current/install.sh ${STICK}/${upgrade + 1}`);
    expect(await lab.version()).toBe(`${upgrade + 1}.0.0`);
    tell(`${upgrade} of ${UPGRADES} after ${((performance.now() - started) / 1000).toFixed(0)} s`);
  }
  for (const load of loads) {
    const { answered, failed, longestMs } = await load.stop();
    tell(
      `${answered} answered, longest ${longestMs.toFixed(0)} ms, failed ${JSON.stringify(failed)}`,
    );
    expect(failed).toEqual({});
    expect(answered).toBeGreaterThan(100);
  }
});
