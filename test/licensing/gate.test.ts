import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test, vi } from 'vitest';
import { testKeys } from '../../scripts/license-vectors/test-keys.ts';
import { err } from '../../src/core/result.ts';
import type { LicensedService } from '../../src/licensing/judge-license.ts';
import type { RecordPlace } from '../../src/licensing/record-file.ts';
import { openRecords } from '../../src/licensing/records.ts';
import { writeRevocationList } from '../../src/licensing/revocations.ts';
import { readRecordedHost } from '../support/recorded-host.ts';
import { onCpu, openGate } from './gate-fixture.ts';
import {
  bareMetal,
  cardClaimsFor,
  claimsFor,
  createTestHost,
  DAY_S,
  putLicense,
  startMs,
  type TestHost,
  takeLicense,
  writeLicense,
} from './license-fixture.ts';
import { MemoryPlace } from './memory-places.ts';

const DAY_MS = DAY_S * 1000;
const kvm = await readRecordedHost('kvm');
const container = await readRecordedHost('container');
const cards = await readRecordedHost('gpus');
const pendingCard = await readRecordedHost('gpu-pending');

test('until the licence was checked, callers are asked to wait', async () => {
  const { gate } = await openGate(createTestHost());
  const decision = gate.findDecision('imagenet');
  expect(decision).toMatchObject({ deployName: 'imagenet', state: 'CHECKING' });
  expect(gate.findRefusal('imagenet')).toEqual({
    code: 'UNAVAILABLE',
    detail: `license CHECKING: ${decision.detail}. ${decision.remedy}`,
    retryAfterS: 1,
  });
  await gate.start();
  expect(gate.findDecision('imagenet').state).toBe('NOT_FOUND');
});

const wrongName = { deploy_name: 'flowers' };
test.each<
  [
    string,
    Partial<TestHost>,
    (() => Parameters<typeof writeLicense>[0]) | undefined,
    string,
    LicensedService?,
  ]
>([
  ['no licence', {}, undefined, 'NOT_FOUND'],
  ['a permanent licence', {}, () => claimsFor(bareMetal, { kind: 'permanent' }), 'VALID'],
  ['a trial', {}, () => claimsFor(bareMetal), 'TRIAL'],
  [
    'a trial near its end',
    { nowMs: startMs + 24 * DAY_MS },
    () => claimsFor(bareMetal),
    'EXPIRING',
  ],
  [
    'a trial after its end',
    { nowMs: startMs + 31 * DAY_MS },
    () => claimsFor(bareMetal),
    'EXPIRED',
  ],
  ['a trial to come', { nowMs: startMs - 3 * DAY_MS }, () => claimsFor(bareMetal), 'NOT_YET_VALID'],
  ['a trial in 1970', { nowMs: 0 }, () => claimsFor(bareMetal), 'CLOCK_SUSPECT'],
  [
    'a permanent licence in 1970',
    { nowMs: 0 },
    () => claimsFor(bareMetal, { kind: 'permanent' }),
    'VALID',
  ],
  ['another host', { facts: kvm }, () => claimsFor(bareMetal), 'HARDWARE_MISMATCH'],
  ['another deploy name', {}, () => claimsFor(bareMetal, wrongName), 'PRODUCT_MISMATCH'],
  ['another model', {}, () => claimsFor(bareMetal, { models: ['roses'] }), 'PRODUCT_MISMATCH'],
  [
    'the model it names',
    {},
    () => claimsFor(bareMetal, { models: ['efficientnet-lite0'] }),
    'TRIAL',
  ],
  [
    'updates that ended before',
    {},
    () => claimsFor(bareMetal, { updates_until: '2026-11-21' }),
    'VERSION_NOT_COVERED',
  ],
  [
    'updates until this release',
    {},
    () => claimsFor(bareMetal, { updates_until: '2026-11-22' }),
    'TRIAL',
  ],
  ['a container', { facts: container }, () => claimsFor(container), 'CONTAINER_DENIED'],
  [
    'a container that is allowed',
    { facts: container },
    () => claimsFor(container, { container: 'allow' }),
    'TRIAL',
  ],
  [
    'a licence for the CPU on a card',
    {},
    () => claimsFor(bareMetal),
    'GPU_MISMATCH',
    { ...onCpu, device: 'cuda' },
  ],
  ['a card', { facts: cards }, () => cardClaimsFor({ ...cards, gpus: firstCard(cards) }), 'TRIAL'],
  [
    'another card',
    { facts: { ...cards, gpus: secondCard(cards) } },
    () => cardClaimsFor({ ...cards, gpus: firstCard(cards) }),
    'GPU_MISMATCH',
  ],
  [
    'a card that is not there yet',
    { facts: pendingCard },
    () => cardClaimsFor({ ...cards, gpus: firstCard(cards) }),
    'GPU_NOT_FOUND',
  ],
  ['no card', {}, () => cardClaimsFor({ ...cards, gpus: firstCard(cards) }), 'GPU_NOT_FOUND'],
])('%s', async (_, circumstances, makeClaims, state, service = onCpu) => {
  const host = Object.assign(createTestHost(), circumstances);
  const { gate, put, failures } = await openGate(host, { services: [service] });
  if (makeClaims !== undefined) {
    await put('a.lic', makeClaims());
  }
  await gate.start();
  const decision = gate.findDecision('imagenet');
  expect(decision.state).toBe(state);
  expect(failures).toEqual([]);
  const refusal = gate.findRefusal('imagenet');
  const served = ['VALID', 'TRIAL', 'EXPIRING', 'CLOCK_SUSPECT', 'HARDWARE_DRIFT'];
  expect(refusal === undefined).toBe(served.includes(state));
  if (refusal !== undefined) {
    expect(refusal.code).toBe(state === 'GPU_NOT_FOUND' ? 'UNAVAILABLE' : 'LICENSE_REFUSED');
    expect(refusal.detail).toBe(`license ${state}: ${decision.detail}. ${decision.remedy}`);
    expect(decision.remedy).toMatch(/\.$/);
  }
});

function firstCard({ gpus }: typeof cards): typeof cards.gpus {
  return gpus.state === 'present' ? { ...gpus, digests: gpus.digests.slice(0, 1) } : gpus;
}

function secondCard({ gpus }: typeof cards): typeof cards.gpus {
  return gpus.state === 'present' ? { ...gpus, digests: gpus.digests.slice(1) } : gpus;
}

test('a licence that is put there counts within two seconds, and one that is taken away no longer', async () => {
  const { gate, put, folder, reaches, decisions } = await openGate(createTestHost());
  await gate.start();
  await put('a.lic', claimsFor(bareMetal));
  await reaches('TRIAL');
  await put('b.lic', claimsFor(bareMetal, { kind: 'permanent' }));
  await reaches('VALID');
  await takeLicense(folder, 'b.lic');
  await reaches('TRIAL');
  await takeLicense(folder, 'a.lic');
  await reaches('NOT_FOUND');
  // Each change once, however often it was looked at.
  expect(decisions.map(({ state }) => state)).toEqual([
    'NOT_FOUND',
    'TRIAL',
    'VALID',
    'TRIAL',
    'NOT_FOUND',
  ]);
});

test('a bad new file takes nothing away from a good one, and is told of', async () => {
  const { gate, put, folder } = await openGate(createTestHost());
  await put('good.lic', claimsFor(bareMetal));
  await putLicense(folder, 'half.lic', writeLicense(claimsFor(bareMetal)).slice(0, 300));
  await put('other-host.lic', claimsFor(kvm, { kind: 'permanent' }));
  await gate.start();
  const decision = gate.findDecision('imagenet');
  expect(decision).toMatchObject({ state: 'TRIAL', file: 'good.lic' });
  expect(decision.others.map(({ file, state }) => [file, state])).toEqual([
    ['other-host.lic', 'HARDWARE_MISMATCH'],
    ['half.lic', 'MALFORMED'],
  ]);
});

test('each service has its own licence', async () => {
  const services = ['imagenet', 'flowers', 'roses'].map((deployName) => ({ ...onCpu, deployName }));
  const { gate, put } = await openGate(createTestHost(), { services });
  await put('a.lic', claimsFor(bareMetal, { kind: 'permanent' }));
  await put('b.lic', claimsFor(bareMetal, { deploy_name: 'flowers', lic_id: 'trial-flowers' }));
  await gate.start();
  const states = services.map(({ deployName }) => gate.findDecision(deployName).state);
  expect(states).toEqual(['VALID', 'TRIAL', 'PRODUCT_MISMATCH']);
});

test('hardware that refuses is read again until it fits, and not while it serves', async () => {
  const host = Object.assign(createTestHost(), { facts: pendingCard });
  const { gate, put, reaches } = await openGate(host);
  await put('a.lic', cardClaimsFor({ ...cards, gpus: firstCard(cards) }));
  await gate.start();
  expect(gate.findDecision('imagenet').state).toBe('GPU_NOT_FOUND');
  expect(host.reads).toEqual(['files', 'all']);
  host.facts = cards;
  host.upMs += 5_000;
  await reaches('TRIAL');
  host.facts = bareMetal;
  host.upMs += 3_600_000;
  await delay(1_200);
  expect(gate.findDecision('imagenet').state).toBe('TRIAL');
  gate.reload();
  await reaches('GPU_NOT_FOUND');
});

test('hardware that can no longer be read is what it was', async () => {
  const host = createTestHost();
  const sources = host.openSources;
  let fails = false;
  host.openSources = (places) => {
    const real = sources(places);
    return {
      ...real,
      readFacts: async (depth) => (fails ? err('the disk hangs') : await real.readFacts(depth)),
    };
  };
  const { gate, put, decisions } = await openGate(host);
  await put('a.lic', claimsFor(bareMetal));
  await gate.start();
  fails = true;
  gate.reload();
  await delay(1_500);
  expect(decisions.map(({ state }) => state)).toEqual(['TRIAL']);
});

test('a host without a licence evaluates for 30 days, and then no longer', async () => {
  const host = createTestHost({ evaluation: { enabled: true, days: 30 } });
  const { gate, reaches } = await openGate(host);
  await gate.start();
  expect(gate.findDecision('imagenet')).toMatchObject({ state: 'TRIAL', kind: 'evaluation' });
  host.nowMs += 31 * DAY_MS;
  host.upMs += 31 * DAY_MS;
  await reaches('EXPIRED');
  expect(gate.findRefusal('imagenet')?.detail).toContain('license EXPIRED: evaluation: the trial ');
});

test('the evaluation goes on in a later process, and where one copy of the records was lost', async () => {
  const host = createTestHost({ evaluation: { enabled: true, days: 30 } });
  const first = await openGate(host);
  await first.gate.start();
  const id = first.gate.findDecision('imagenet').licenseId;
  await first.gate.stop();
  await takeLicense(join(first.stateDir, 'second'), 'license-records');
  const second = await openGate(host, { home: first.stateDir });
  await second.gate.start();
  expect(id).toMatch(/./);
  expect(second.gate.findDecision('imagenet').licenseId).toBe(id);
});

test('a host with a licence begins no evaluation, whatever the licence is worth', async () => {
  const host = createTestHost({ evaluation: { enabled: true, days: 30 } });
  const { gate, put } = await openGate(host);
  await put('a.lic', claimsFor(kvm));
  await gate.start();
  expect(gate.findDecision('imagenet').state).toBe('HARDWARE_MISMATCH');
});

test('a changed component is told, and served', async () => {
  const changed = await readRecordedHost('bare-metal', {
    files: { '/etc/machine-id': '0123456789abcdef0123456789abcdef\n' },
  });
  const host = Object.assign(createTestHost(), { facts: changed });
  const { gate, put } = await openGate(host);
  await put('a.lic', claimsFor(bareMetal, { kind: 'permanent' }));
  await gate.start();
  expect(gate.findDecision('imagenet')).toMatchObject({
    state: 'HARDWARE_DRIFT',
    detail: 'changed since the licence was issued: machine-id (matching 10 of 11)',
  });
  expect(gate.findRefusal('imagenet')).toBeUndefined();
});

test('a licence on the list beside it is refused, and a list that does not count is told', async () => {
  const host = createTestHost();
  const { gate, folder, put, reaches, listProblems } = await openGate(host);
  await put('sold.lic', claimsFor(bareMetal, { kind: 'permanent' }));
  await gate.start();
  await reaches('VALID');
  const list = { issued: 1, revoked: [{ lic_id: 'permanent-0001', reason: 'never paid' }] };
  await putLicense(folder, 'revoked.lic', writeRevocationList(list, testKeys.trial));
  await vi.waitFor(
    () =>
      expect(listProblems).toEqual([
        expect.stringMatching(/revoked\.lic: .+ found that of trial-/),
      ]),
    { timeout: 2_000, interval: 20 },
  );
  expect(gate.findDecision('imagenet').state).toBe('VALID');
  await putLicense(folder, 'revoked.lic', writeRevocationList(list, testKeys.permanent));
  await reaches('REVOKED');
  expect(gate.findDecision('imagenet').detail).toBe(
    'licence permanent-0001 was withdrawn by the vendor (never paid)',
  );
});

test('a trial that has ended for certain does not come back with a clock in 1970', async () => {
  const host = createTestHost();
  const { gate, put, reaches } = await openGate(host);
  await put('trial.lic', claimsFor(bareMetal));
  await gate.start();
  await reaches('TRIAL');
  for (const [days, state] of [
    [29, 'EXPIRING'],
    [1, 'EXPIRED'],
    [1, 'EXPIRED'],
  ] as const) {
    host.upMs += days * DAY_MS;
    host.nowMs += days * DAY_MS;
    await delay(1_100);
    await reaches(state);
  }
  host.nowMs = 0;
  await delay(1_100);
  expect(gate.findDecision('imagenet')).toMatchObject({ state: 'EXPIRED' });
});

test('a new licence counts in time while a driver takes its own, and the end waits for neither', async () => {
  const host = createTestHost();
  const openSources = host.openSources;
  let hangs = false;
  host.openSources = (places) => {
    const real = openSources(places);
    const hanging = new Promise<never>(() => undefined);
    return { ...real, readFacts: (depth) => (hangs ? hanging : real.readFacts(depth)) };
  };
  const { gate, put, reaches } = await openGate(host);
  await gate.start();
  hangs = true;
  await put('a.lic', claimsFor(bareMetal));
  await reaches('TRIAL');
  await put('b.lic', claimsFor(bareMetal, { kind: 'permanent' }));
  await reaches('VALID');
});

test('the end does not wait for hardware that was never read', async () => {
  const host = createTestHost();
  const openSources = host.openSources;
  host.openSources = (places) => ({
    ...openSources(places),
    readFacts: () => new Promise<never>(() => undefined),
    openRecords: () => new Promise<never>(() => undefined),
  });
  const { gate } = await openGate(host);
  const started = gate.start();
  await gate.stop(AbortSignal.timeout(100));
  await started;
  expect(gate.findRefusal('imagenet')).toMatchObject({ code: 'UNAVAILABLE' });
});

test('an evaluation that cannot be bound to any hardware does not begin', async () => {
  const host = createTestHost({ evaluation: { enabled: true, days: 30 } });
  const openSources = host.openSources;
  host.openSources = (places) => ({
    ...openSources(places),
    readFacts: async () => err('the hardware could not be read (EMFILE)'),
  });
  const { gate } = await openGate(host);
  await gate.start();
  expect(gate.findDecision('imagenet')).toMatchObject({
    state: 'HARDWARE_MISMATCH',
    detail: 'no evaluation can begin: the hardware could not be read (EMFILE)',
    remedy: expect.stringMatching(/limit of open files/) as string,
  });
});

describe('the first charge of a trial', () => {
  async function openGateOver(write: () => Promise<unknown>) {
    const place = new MemoryPlace();
    const host = createTestHost();
    const { openSources } = host;
    const slow: RecordPlace = {
      path: place.path,
      read: () => place.read(),
      async revise(revise) {
        await write();
        return await place.revise(revise);
      },
    };
    host.openSources = (places) => ({
      ...openSources(places),
      openRecords: () => openRecords([slow]),
    });
    return { place, ...(await openGate(host)) };
  }

  test('is written before anybody is served', async () => {
    const { place, gate, put, folder } = await openGateOver(() => delay(80));
    await put('a.lic', claimsFor(bareMetal, { lic_id: 'trial-at-start' }));
    await gate.start();
    expect(gate.findRefusal('imagenet')).toBeUndefined();
    expect(place.text).toContain('trial-at-start');

    await put('b.lic', claimsFor(bareMetal, { lic_id: 'trial-at-noon' }));
    await takeLicense(folder, 'a.lic');
    await vi.waitUntil(() => gate.findDecision('imagenet').licenseId === 'trial-at-noon', {
      timeout: 3_000,
      interval: 5,
    });
    expect(place.text).toContain('trial-at-noon');
  });

  test('is not waited for where the disk does not answer', async () => {
    const { place, gate, put } = await openGateOver(() => new Promise(() => undefined));
    await put('a.lic', claimsFor(bareMetal));
    await gate.start();
    expect(gate.findDecision('imagenet').state).toBe('TRIAL');
    expect(place.text).toBeUndefined();
  });
});

test('a licence that serves one service ends what it replaces for all', async () => {
  const services = ['imagenet', 'flowers'].map((deployName) => ({ ...onCpu, deployName }));
  const { gate, put } = await openGate(createTestHost(), { services });
  await put('old.lic', claimsFor(bareMetal, { kind: 'permanent', lic_id: 'old-license-0001' }));
  const change = { kind: 'permanent', deploy_name: 'flowers', lic_id: 'new-license-0001' } as const;
  const claims = { ...claimsFor(bareMetal, change), replaces: ['old-license-0001'] };
  await put('new.lic', claims);
  await gate.start();
  expect(gate.findDecision('flowers').state).toBe('VALID');
  expect(gate.findDecision('imagenet')).toMatchObject({
    state: 'REVOKED',
    detail: 'licence old-license-0001 was replaced by new-license-0001',
  });
});

test('a problem that comes back is told again', async () => {
  const { gate, folder, listProblems } = await openGate(createTestHost());
  await gate.start();
  for (const times of [1, 2]) {
    await putLicense(folder, 'revoked.lic', 'no list');
    await vi.waitFor(() => expect(listProblems).toHaveLength(times), { timeout: 2_000 });
    await takeLicense(folder, 'revoked.lic');
    await delay(1_300);
  }
  expect(listProblems[0]).toBe(listProblems[1]);
});
