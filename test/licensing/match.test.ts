import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  type Component,
  componentKinds,
  digestValue,
  type HostFacts,
} from '../../src/hardware/components.ts';
import {
  composeGpuFingerprint,
  composeHostFingerprint,
  offerHardware,
} from '../../src/licensing/compose.ts';
import { matchFingerprint, saltDigest, weigh } from '../../src/licensing/match.ts';
import { readRecordedHost } from '../support/recorded-host.ts';

const SALT = 'AAECAwQFBgcICQoLDA0ODw';
const OTHER_SALT = 'AAECAwQFBgcICQoLDA0OEA';
const bareMetal = await readRecordedHost('bare-metal');

function compose(facts: HostFacts, salt = SALT) {
  const fingerprint = composeHostFingerprint(offerHardware(facts, salt), { strict: false });
  if (!fingerprint.ok) throw new Error(fingerprint.error);
  return fingerprint.value;
}

// Computed with Python's hmac.
test('a component is salted by a published rule', () => {
  const digest = digestValue('machine-id', '8f2b1c0de94a4c6b9d0d5a7e3c61f2a4');
  expect(digest).toBe('7c3cada63d507501c9508f2f149521b201254a6b5d859e7159b8522e9fa2f9e1');
  expect(saltDigest(SALT, 'machine-id', digest)).toBe('FnVI5JNb5to');
  expect(saltDigest(OTHER_SALT, 'machine-id', digest)).toHaveLength(11);
});

test('two licences of one host share no hash', () => {
  const hashes = (salt: string) => compose(bareMetal, salt).components.map(({ h }) => h);
  expect(new Set(hashes(SALT)).isDisjointFrom(new Set(hashes(OTHER_SALT)))).toBe(true);
});

test('what is needed is in proportion to what there was, rounded up', () => {
  expect(weigh(componentKinds)).toEqual({ of: 11, need: 6 });
  expect(weigh(['board-serial', 'product-serial'])).toEqual({ of: 2, need: 2 });
  expect(weigh(['root-disk', 'network-card', 'network-card', 'machine-id', 'cpu-model'])).toEqual({
    of: 6,
    need: 4,
  });
  expect(weigh(['cpu-model'])).toEqual({ of: 1, need: 1 });
});

const someFacts = fc
  .record({
    machine: fc.constantFrom<HostFacts['machine']>('bare-metal', 'virtual', 'container'),
    components: fc.array(
      fc.record({
        kind: fc.constantFrom(...componentKinds),
        digest: fc.constantFrom('00', '11', '22', '33').map((pair) => pair.repeat(32)),
      }),
      { maxLength: 12 },
    ),
  })
  .map((some): HostFacts => ({ ...some, unreadable: [], gpus: { state: 'none' }, notes: [] }));

test('every host matches the licence that was made for it, whole and without drift', () => {
  fc.assert(
    fc.property(someFacts, (facts) => {
      fc.pre(facts.components.length > 0);
      const match = matchFingerprint(compose(facts), facts, { allowsContainer: true });
      expect(match).toMatchObject({ ok: true, drift: false, score: match.of });
    }),
  );
});

test('taking a component away never makes a host match better', () => {
  fc.assert(
    fc.property(someFacts, someFacts, fc.nat(), (issuedFor, checkedOn, index) => {
      fc.pre(issuedFor.components.length > 0 && checkedOn.components.length > 0);
      const fewer = checkedOn.components.toSpliced(index % checkedOn.components.length, 1);
      const fingerprint = compose(issuedFor);
      const options = { allowsContainer: true };
      const before = matchFingerprint(fingerprint, checkedOn, options);
      const after = matchFingerprint(fingerprint, { ...checkedOn, components: fewer }, options);
      expect(after.score).toBeLessThanOrEqual(before.score);
      expect(before.ok || !after.ok).toBe(true);
    }),
  );
});

test('a licence says for each component whether it matches and what was found instead', async () => {
  const facts = await readRecordedHost('bare-metal', {
    files: {
      '/sys/class/dmi/id/product_uuid': { denied: true },
      '/etc/machine-id': '0123456789abcdef0123456789abcdff\n',
      '/sys/dev/block/8:2': null,
      '/sys/class/block/sda2': null,
      '/sys/dev/block/8:1': null,
      '/sys/class/block/sda1': null,
    },
  });
  const match = matchFingerprint(compose(bareMetal), facts, { allowsContainer: false });
  expect(match.components).toEqual([
    { kind: 'product-uuid', matches: false, found: 'unreadable' },
    { kind: 'board-serial', matches: true },
    { kind: 'product-serial', matches: true },
    { kind: 'root-disk', matches: false, found: 'none' },
    { kind: 'network-card', matches: true },
    { kind: 'machine-id', matches: false, found: 'other' },
    { kind: 'cpu-model', matches: true },
  ]);
});

test('a mismatch is explained with its score', async () => {
  const options = { allowsContainer: false };
  const fingerprint = compose(bareMetal);
  const twin = await readRecordedHost('bare-metal-twin');
  expect(matchFingerprint(fingerprint, twin, options).detail).toBe(
    "neither the machine's UUID nor a serial number matches (matching 1 of 11, needed 6)",
  );
  const withoutRoot = await readRecordedHost('without-root');
  expect(matchFingerprint(fingerprint, withoutRoot, options).detail).toBe(
    "neither the machine's UUID nor a serial number matches, of which this process may not read all (matching 6 of 11, needed 6)",
  );
});

test('a request names at most four components of a kind', async () => {
  const many = await readRecordedHost('many-interfaces');
  const card: Component = { kind: 'network-card', digest: '44'.repeat(32) };
  const offered = offerHardware({ ...many, components: [...many.components, card] }, SALT);
  expect(offered.components.filter(({ kind }) => kind === 'network-card')).toHaveLength(4);
});

test('a licence for a card names one of those in the request', async () => {
  const offered = offerHardware(await readRecordedHost('gpus'), SALT);
  const errorOf = (index?: number, gpus = offered.gpus) => {
    const fingerprint = composeGpuFingerprint({ ...offered, gpus }, index);
    return fingerprint.ok ? fingerprint.value.gpu : fingerprint.error;
  };
  expect(errorOf(1)).toBe(offered.gpus[1]);
  expect(errorOf()).toBe('the request names 2 graphics cards: choose one, 0 to 1');
  expect(errorOf(2)).toBe('the request names graphics cards 0 to 1, not 2');
  expect(errorOf(undefined, [])).toBe('the request names no graphics card');
  expect(errorOf(undefined, offered.gpus.slice(0, 1))).toBe(offered.gpus[0]);
});

test('a host without anything of its own is refused, and a weak one where it must be strict', () => {
  const offer = (components: readonly Component[], machine: HostFacts['machine'] = 'bare-metal') =>
    offerHardware({ ...bareMetal, machine, components }, SALT);
  const weak = offer([{ kind: 'cpu-model', digest: '00'.repeat(32) }]);
  expect(composeHostFingerprint(weak, { strict: false }).ok).toBe(true);
  expect(composeHostFingerprint(weak, { strict: true })).toEqual({
    ok: false,
    error: expect.stringMatching(/this request has neither; a request made as root may have it/),
  });
  expect(composeHostFingerprint(offer([]), { strict: false }).ok).toBe(false);
});
