import { readdir, readFile } from 'node:fs/promises';
import { homedir, hostname, networkInterfaces, userInfo } from 'node:os';
import { join } from 'node:path';
import { within } from '../../core/within.ts';

/** Takes out of a text what must not leave this host, each kind by a word in brackets. */
export type Redact = (text: string) => string;

/** A disk that hangs does not tell its number. */
const PATIENCE_MS = 2_000;
/** Shorter ones are ordinary words. */
const MIN_VALUE_LENGTH = 4;
const DMI_FOLDER = '/sys/class/dmi/id';
const dmiFiles = [
  ...['product_uuid', 'product_serial', 'board_serial', 'chassis_serial'],
  ...['product_asset_tag', 'board_asset_tag', 'chassis_asset_tag'],
];
const NAME_WORDS = new Set(['localhost', 'root', 'nobody', 'edge-infer', 'node', 'user', 'admin']);

/**
 * Knows this host's own names and numbers, as far as this user may read them, and what secrets,
 * keys, images, addresses and serial numbers look like.
 */
export async function createRedactor(): Promise<Redact> {
  const known = await readOwnValues();
  const exact = known
    .filter(({ value }) => value.length >= MIN_VALUE_LENGTH && !NAME_WORDS.has(value))
    .toSorted((a, b) => b.value.length - a.value.length)
    .map(({ value, word }) => [new RegExp(RegExp.escape(value), 'gi'), word] as const);
  return (text) => {
    let clean = text;
    for (const [pattern, word] of exact) {
      clean = clean.replace(pattern, word);
    }
    for (const [pattern, word] of patterns) {
      clean = clean.replace(pattern, (found, ...groups) => word(found, groups));
    }
    return clean;
  };
}

type Replace = (found: string, groups: readonly unknown[]) => string;

const by =
  (word: string): Replace =>
  () =>
    word;

const patterns: readonly (readonly [RegExp, Replace])[] = [
  [/-----BEGIN [A-Z ]+-----[\s\S]*?(?:-----END [A-Z ]+-----|$)/g, by('[document]')],
  [
    /((?:pass(?:word|phrase)?|secret|token|api[-_]?key|authorization|cookie)["']?\s*[:=]\s*)(?:"[^"]*"|'[^']*'|(?:Bearer |Basic )?[^\s,;}]+)/gi,
    (found, [start]) => `${String(start)}${found.endsWith('"') ? '"[secret]"' : '[secret]'}`,
  ],
  [/\/\/[^\s/@:]+:[^\s/@]+@/g, by('//[secret]@')],
  [/\/home\/[^/\s"':]+/g, by('/home/[user]')],
  [/\b(?:[0-9a-f]{2}[:-]){5,}[0-9a-f]{2}\b/gi, by('[mac]')],
  [/\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b/gi, by('[uuid]')],
  // What a model or a release is stays recognisable.
  [/(?<!(?:sha-?256|commit)["':= ]{1,4})\b[0-9a-f]{32,}\b/gi, by('[hex]')],
  [/[A-Za-z0-9+/_-]{40,}={0,2}/g, replaceEncoded],
  [/\b(?:\d{1,3}\.){3}\d{1,3}\b/g, replaceAddress],
  [
    /(?<![\w:.])(?:[0-9a-f]{1,4}:){2,7}(?::?[0-9a-f]{1,4})?(?:::?[0-9a-f]{1,4})*(?![\w:])/gi,
    replaceAddress,
  ],
];

/** What encodes bytes has letters of both cases and digits; a path seldom has. */
function replaceEncoded(found: string): string {
  const isEncoded = [/[a-z]/, /[A-Z]/, /\d/].every((kind) => kind.test(found));
  return isEncoded ? '[encoded]' : found;
}

/** Those that every host has tell nothing. */
function replaceAddress(found: string): string {
  const isCommon = found.startsWith('127.') || ['0.0.0.0', '255.255.255.255'].includes(found);
  const isTime = /^\d{1,2}(:\d{2}){2}$/.test(found);
  return isCommon || isTime ? found : '[address]';
}

interface OwnValue {
  readonly value: string;
  readonly word: string;
}

async function readOwnValues(): Promise<OwnValue[]> {
  const cards = Object.values(networkInterfaces()).flatMap((addresses = []) => addresses);
  const ids = await Promise.all([
    ...['/etc/machine-id', '/var/lib/dbus/machine-id'].map(readLine),
    ...dmiFiles.map((file) => readLine(join(DMI_FOLDER, file))),
    ...(await listDiskFiles()).map(readLine),
  ]);
  const [shortName = ''] = hostname().split('.');
  return [
    ...ids.map((value) => ({ value, word: '[serial]' })),
    ...cards.filter(({ internal }) => !internal).map(({ mac }) => ({ value: mac, word: '[mac]' })),
    ...cards
      .filter(({ internal }) => !internal)
      .map(({ address }) => ({ value: address, word: '[address]' })),
    ...[hostname(), shortName].map((value) => ({ value, word: '[host]' })),
    ...findUserNames().map((value) => ({ value, word: '[user]' })),
  ];
}

async function listDiskFiles(): Promise<string[]> {
  const disks = await readdir('/sys/block').catch(() => []);
  return disks.flatMap((disk) =>
    ['device/serial', 'device/wwid', 'wwid', 'serial'].map((file) =>
      join('/sys/block', disk, file),
    ),
  );
}

async function readLine(path: string): Promise<string> {
  const read = readFile(path, 'latin1').catch(() => '');
  return ((await within(PATIENCE_MS, read)) ?? '').trim();
}

function findUserNames(): string[] {
  const ofHome = /^\/home\/([^/]+)/.exec(homedir())?.[1];
  const names = [process.env.SUDO_USER, process.env.USER, process.env.LOGNAME, ofHome];
  try {
    names.push(userInfo().username);
  } catch {
    // not in the list of users
  }
  return names.filter((name) => name !== undefined);
}
