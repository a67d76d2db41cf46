import { sign } from 'node:crypto';
import { type DocumentLabel, writeArmour } from '../../src/licensing/armour.ts';
import { sealEnvelope } from '../../src/licensing/envelope.ts';
import type { LicenseRefusal } from '../../src/licensing/verify-license.ts';
import { hostKey, strangerKey, type TestVendorKey, testKeys } from './test-keys.ts';

export interface Vector {
  /** Also the file's name, with `.lic` after it. */
  readonly name: string;
  readonly expected: 'ACCEPTED' | LicenseRefusal['state'];
  readonly file: Buffer;
}

type Json = Readonly<Record<string, unknown>>;

const salt = Buffer.from('edge-infer-salt!').toString('base64url');
const hash = (number: number) => Buffer.alloc(8, number).toString('base64url');

const trial: Json = {
  lic_id: 'lic-00000000000000000001',
  customer: 'Müller & 李 GmbH',
  product: 'edge-infer',
  deploy_name: 'imagenet',
  kind: 'trial',
  iat: 1_800_000_000,
  exp: 1_802_592_000,
  holder: hostKey.publicKey,
  container: 'deny',
  tier: 'cpu',
  fp: {
    schema: 1,
    salt,
    need: 6,
    components: [
      { k: 'product-uuid', h: hash(1), w: 3 },
      { k: 'board-serial', h: hash(2), w: 2 },
      { k: 'root-disk', h: hash(3), w: 2 },
      { k: 'network-card', h: hash(4), w: 2 },
      { k: 'network-card', h: hash(5), w: 2 },
      { k: 'machine-id', h: hash(6), w: 1 },
      { k: 'cpu-model', h: hash(7), w: 1 },
    ],
  },
};
const { exp: _, ...withoutEnd } = trial;
const permanent: Json = {
  ...withoutEnd,
  lic_id: 'lic-00000000000000000002',
  kind: 'permanent',
  updates_until: '2028-12-31',
};
const card: Json = { ...permanent, tier: 'gpu', fp: { schema: 1, salt, gpu: hash(8) } };

/** Licences that must be accepted, and such that must be refused, each for one reason. */
export function makeVectors(): Vector[] {
  return [
    ...makeAccepted(),
    ...makeRefusedArmour(),
    ...makeRefusedEnvelopes(),
    ...makeRefusedContents(),
  ];
}

/** Every step from the content to the file, for whoever writes a program that makes licences. */
export function makeWorkedExample() {
  const payload = JSON.stringify(trial);
  const { kid, sig } = parseEnvelope(license(trial, trialKey));
  return {
    payload,
    signed: `edge-infer license v1\n${kid}\n${payload}`,
    signature: sig,
    envelope: JSON.stringify({ v: 1, kid, payload: encode(payload), sig }),
    file: 'trial-cpu.lic',
  };
}

const { trial: trialKey, nextTrial, permanent: permanentKey, nextPermanent } = testKeys;

function makeAccepted(): Vector[] {
  const accept = (name: string, text: string) => vector(name, 'ACCEPTED', text);
  const everything = {
    ...permanent,
    features: ['batch'],
    models: ['efficientnet-lite0'],
    limits: { workers: 8 },
    replaces: [trial.lic_id],
    crit: ['replaces', 'container'],
  };
  return [
    accept('trial-cpu', license(trial, trialKey)),
    accept('trial-next-key', license(trial, nextTrial)),
    accept('permanent-cpu', license(permanent, permanentKey)),
    accept('permanent-gpu', license(card, permanentKey)),
    accept('permanent-gpu-crlf', license(card, permanentKey).replaceAll('\n', '\r\n')),
    accept('permanent-next-key', license(permanent, nextPermanent)),
    accept('every-claim', license(everything, permanentKey)),
    accept('unknown-claim', license({ ...permanent, colour: 'red' }, permanentKey)),
  ];
}

function makeRefusedArmour(): Vector[] {
  const refuse = (name: string, text: string) => vector(name, 'MALFORMED', text);
  const good = license(permanent, permanentKey);
  const lines = good.trimEnd().split('\n');
  const [begin = '', first = '', ...rest] = lines;
  const end = rest.at(-1) ?? '';
  return [
    refuse('empty', ''),
    refuse('line-ends-mixed', good.replace('\n', '\r\n')),
    refuse('line-ends-missing-last', good.trimEnd()),
    refuse('line-ends-old-mac', good.replaceAll('\n', '\r')),
    refuse('byte-order-mark', `\ufeff${good}`),
    refuse('text-before', `Your licence:\n${good}`),
    refuse('text-after', `${good}\n`),
    refuse('two-licences', `${good}${good}`),
    refuse('cut-short', good.slice(0, good.length / 2)),
    refuse('empty-body', `${begin}\n${end}\n`),
    refuse('line-too-short', [begin, first.slice(0, 60), first.slice(60), ...rest, ''].join('\n')),
    refuse('space-in-line', good.replace(first, `${first.slice(0, 63)} `)),
    refuse('base64-not-url', good.replace(first, `${first.slice(0, 63)}+`)),
    refuse('base64-padding', good.replace(`\n${end}`, `=\n${end}`)),
    refuse('armour-stray-bits', withUnusedBits().replace(/.(?=\n-----END)/, nextCharacter)),
    refuse('other-label', good.replaceAll(' LICENSE-', ' LICENSE RELEASE-')),
    refuse('too-large', license({ ...permanent, notes: 'x'.repeat(12_000) }, permanentKey)),
  ];
}

function makeRefusedEnvelopes(): Vector[] {
  const envelope = parseEnvelope(license(permanent, permanentKey));
  const { kid, payload, sig } = envelope;
  const refuse = (name: string, expected: Vector['expected'], json: unknown) =>
    vector(name, expected, armour(typeof json === 'string' ? json : JSON.stringify(json)));
  return [
    refuse('envelope-no-json', 'MALFORMED', 'licence'),
    refuse('envelope-spaces', 'MALFORMED', JSON.stringify(envelope, undefined, 1)),
    refuse('envelope-order', 'MALFORMED', { kid, v: 1, payload, sig }),
    refuse(
      'envelope-duplicate-key',
      'MALFORMED',
      JSON.stringify(envelope).replace('{', `{"kid":"${kid}",`),
    ),
    refuse('envelope-extra-key', 'MALFORMED', { ...envelope, alg: 'none' }),
    refuse('envelope-version', 'MALFORMED', { ...envelope, v: 2 }),
    refuse('envelope-payload-stray-bits', 'MALFORMED', {
      ...envelope,
      payload: encode(padded(permanent)).replace(/.$/, nextCharacter),
    }),
    refuse('envelope-sig-stray-bits', 'MALFORMED', {
      ...envelope,
      sig: sig.replace(/.$/, nextCharacter),
    }),
    refuse('envelope-sig-short', 'MALFORMED', { ...envelope, sig: sig.slice(0, 84) }),
    refuse('kid-unknown', 'UNKNOWN_KEY', parseEnvelope(license(permanent, strangerKey))),
    refuse('kid-empty', 'MALFORMED', { ...envelope, kid: '' }),
    refuse('kid-of-other-key', 'BAD_SIGNATURE', { ...envelope, kid: nextPermanent.kid }),
    refuse(
      'sig-of-other-key',
      'BAD_SIGNATURE',
      parseEnvelope(license(permanent, { ...strangerKey, kid })),
    ),
    refuse('sig-without-prefix', 'BAD_SIGNATURE', {
      ...envelope,
      sig: encode(sign(null, decode(payload), permanentKey.privateKey)),
    }),
    refuse(
      'sig-for-other-label',
      'BAD_SIGNATURE',
      parseEnvelope(license(permanent, permanentKey, 'LICENSE RELEASE')),
    ),
    refuse('sig-second-form', 'BAD_SIGNATURE', {
      ...envelope,
      sig: encode(addGroupOrder(decode(sig))),
    }),
    refuse('sig-zero', 'BAD_SIGNATURE', { ...envelope, sig: encode(Buffer.alloc(64)) }),
    refuse('payload-changed', 'BAD_SIGNATURE', {
      ...envelope,
      payload: encode(JSON.stringify({ ...permanent, customer: 'Me' })),
    }),
  ];
}

function makeRefusedContents(): Vector[] {
  const text = JSON.stringify(permanent);
  const refuse = (
    name: string,
    expected: Vector['expected'],
    content: Json | string | Buffer,
    key = permanentKey,
  ) => vector(name, expected, license(content, key));
  const { holder: __, ...withoutHolder } = permanent;
  const fp = permanent.fp as Json;
  return [
    refuse('content-no-json', 'MALFORMED', 'licence'),
    refuse('content-list', 'MALFORMED', '[]'),
    refuse('content-spaces', 'MALFORMED', JSON.stringify(permanent, undefined, 1)),
    refuse('content-duplicate-key', 'MALFORMED', text.replace('{', '{"tier":"gpu",')),
    refuse('content-escaped', 'MALFORMED', text.replace('edge', '\\u0065dge')),
    refuse('content-number-spelling', 'MALFORMED', text.replace('1800000000', '1.8e9')),
    refuse('content-wrong-utf8', 'MALFORMED', Buffer.from(text, 'latin1')),
    refuse('content-byte-order-mark', 'MALFORMED', `\ufeff${text}`),
    refuse('content-nested', 'MALFORMED', '['.repeat(4000) + ']'.repeat(4000)),
    refuse('content-missing-claim', 'MALFORMED', withoutHolder),
    refuse('content-many-problems', 'MALFORMED', {
      ...permanent,
      lic_id: '../x',
      customer: '',
      tier: 'cpu',
      fp: { ...fp, need: 0, salt: 'abc' },
      iat: -1,
    }),
    refuse('content-unknown-key-in-fp', 'MALFORMED', { ...permanent, fp: { ...fp, any: true } }),
    refuse('content-need-out-of-reach', 'MALFORMED', { ...permanent, fp: { ...fp, need: 12 } }),
    refuse('content-fp-of-other-tier', 'MALFORMED', { ...permanent, tier: 'gpu' }),
    refuse('content-no-such-day', 'MALFORMED', { ...permanent, updates_until: '2027-02-30' }),
    refuse('trial-without-end', 'MALFORMED', withoutEnd, trialKey),
    refuse('trial-end-before-start', 'MALFORMED', { ...trial, exp: trial.iat }, trialKey),
    refuse('permanent-with-end', 'MALFORMED', { ...permanent, exp: 1_900_000_000 }),
    refuse('crit-unknown', 'MALFORMED', { ...permanent, colour: 'red', crit: ['colour'] }),
    refuse('crit-not-enforced', 'MALFORMED', {
      ...permanent,
      limits: { workers: 1 },
      crit: ['limits'],
    }),
    refuse('crit-absent-claim', 'MALFORMED', { ...permanent, crit: ['replaces'] }),
    refuse('permanent-by-trial-key', 'BAD_SIGNATURE', permanent, trialKey),
    refuse('trial-by-permanent-key', 'BAD_SIGNATURE', trial),
    refuse('other-product', 'PRODUCT_MISMATCH', { ...permanent, product: 'other-product' }),
  ];
}

function vector(name: string, expected: Vector['expected'], text: string): Vector {
  return { name, expected, file: Buffer.from(text) };
}

function license(
  content: Json | string | Buffer,
  key: TestVendorKey,
  label: DocumentLabel = 'LICENSE',
) {
  const isRaw = typeof content === 'string' || Buffer.isBuffer(content);
  const payload = Buffer.from(isRaw ? (content as string) : JSON.stringify(content));
  return armour(sealEnvelope(label, { kid: key.kid, payload }, key.privateKey));
}

function armour(envelope: string | Buffer): string {
  return writeArmour('LICENSE', Buffer.from(envelope));
}

interface Envelope {
  readonly v: number;
  readonly kid: string;
  readonly payload: string;
  readonly sig: string;
}

function parseEnvelope(text: string): Envelope {
  return JSON.parse(decode(text.split('\n').slice(1, -2).join('')).toString()) as Envelope;
}

const encode = (bytes: string | Buffer) => Buffer.from(bytes).toString('base64url');
const decode = (text: string) => Buffer.from(text, 'base64url');

/** A content whose base64url ends in a character with unused bits. */
function padded(content: Json): Buffer {
  const text = JSON.stringify(content);
  const isEven = Buffer.byteLength(text) % 3 === 0;
  return Buffer.from(isEven ? JSON.stringify({ ...content, x: 1 }) : text);
}

/** A licence whose last character has unused bits. */
function withUnusedBits(): string {
  const candidates = ['A', 'AB', 'ABC'].map((customer) =>
    license({ ...permanent, customer }, permanentKey),
  );
  const found = candidates.find((text) => text.split('\n').slice(1, -2).join('').length % 4 !== 0);
  if (found === undefined) {
    throw new Error('expected a licence whose length is no multiple of three bytes');
  }
  return found;
}

/** The next character: it differs in the lowest bit, which the last character of such a text ignores. */
function nextCharacter(character: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  return alphabet[alphabet.indexOf(character) + 1] ?? '';
}

/** S + L in place of S, which some verifiers take for the same signature (RFC 8032, 5.1.7). */
function addGroupOrder(signature: Buffer): Buffer {
  const order = 2n ** 252n + 27742317777372353535851937790883648493n;
  const half = Buffer.from(signature.subarray(32)).reverse();
  const sum = BigInt(`0x${half.toString('hex')}`) + order;
  const bytes = Buffer.from(sum.toString(16).padStart(64, '0'), 'hex').reverse();
  return Buffer.concat([signature.subarray(0, 32), bytes]);
}
