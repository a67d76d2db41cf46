import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { HostFacts } from '../../src/hardware/components.ts';
import { inspectLicenses } from '../../src/licensing/inspection.ts';
import type { LicensedService } from '../../src/licensing/judge-license.ts';
import { temporaryFolder } from '../models/temporary-folder.ts';
import { readRecordedHost } from '../support/recorded-host.ts';
import { onCpu } from './gate-fixture.ts';
import {
  bareMetal,
  cardClaimsFor,
  claimsFor,
  createTestHost,
  putLicense,
  writeLicense,
} from './license-fixture.ts';

const withCard: HostFacts = { ...bareMetal, gpus: (await readRecordedHost('gpus')).gpus };
const pending: HostFacts = { ...bareMetal, gpus: { state: 'pending', reason: 'no UUID yet' } };
const oneCard: HostFacts = {
  ...withCard,
  gpus:
    withCard.gpus.state === 'present'
      ? { ...withCard.gpus, digests: withCard.gpus.digests.slice(0, 1) }
      : withCard.gpus,
};
const permanent = { kind: 'permanent' } as const;
const ofTheHost = claimsFor(bareMetal, permanent);
const ofTheCard = cardClaimsFor(oneCard, permanent);

async function inspect(
  facts: HostFacts,
  device: LicensedService['device'],
  claims: typeof ofTheHost | typeof ofTheCard,
) {
  const host = Object.assign(createTestHost(), { facts });
  const stateDir = await temporaryFolder();
  const dir = join(stateDir, 'licenses');
  await putLicense(dir, 'a.lic', writeLicense(claims));
  const sources = host.openSources({ stateDir, license: { dir, recordsDir: join(stateDir, 'b') } });
  return await inspectLicenses(sources, [{ ...onCpu, device }]);
}

test.each([
  ['a card', withCard],
  ['a card that is starting', pending],
])(
  'with %s a licence of the host counts for the CPU alone, and both are told',
  async (_, facts) => {
    const { decisions, licenses, judge } = await inspect(facts, undefined, ofTheHost);
    expect(decisions).toMatchObject([{ state: 'GPU_MISMATCH', onCpu: { state: 'VALID' } }]);
    // It may well serve, so that it may be installed.
    expect(licenses.flatMap(judge)).toMatchObject([{ state: 'VALID' }]);
  },
);

test.each([
  ['no card', bareMetal, undefined, 'VALID'],
  ['the CPU chosen', withCard, 'cpu', 'VALID'],
  ['the card chosen', withCard, 'cuda', 'GPU_MISMATCH'],
] as const)('with %s there is no doubt', async (_, facts, device, state) => {
  const { decisions, licenses, judge } = await inspect(facts, device, ofTheHost);
  expect(decisions).toMatchObject([{ state }]);
  expect(decisions[0]).not.toHaveProperty('onCpu');
  expect(licenses.flatMap(judge)).toMatchObject([{ state }]);
});

test('a licence of the card counts on either, so nothing depends on it', async () => {
  const { decisions } = await inspect(oneCard, undefined, ofTheCard);
  expect(decisions).toMatchObject([{ state: 'VALID' }]);
  expect(decisions[0]).not.toHaveProperty('onCpu');
});
