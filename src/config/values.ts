import { isIP } from 'node:net';
import { z } from 'zod';
import { isDeployName } from '../core/deploy-name.ts';

/** What the reference, the flags and the messages say of a key, beside its zod schema. */
export interface KeyHelp {
  /** One sentence or two for `config reference`. */
  readonly help: string;
  /** What is accepted, for types whose limits cannot be read off the schema. */
  readonly expected?: string;
  /** The default as one would write it, where that is not the value itself: `256MiB`. */
  readonly defaultText?: string;
  /** A path: made absolute by whoever set it (file's folder, working directory, package). */
  readonly path?: 'always' | 'when-it-has-a-slash';
  /** Listed in `--help`; the others are found in `config reference`. */
  readonly common?: true;
}

/** Help texts by schema. zod's own global registry would do, but holds untyped data. */
export const keyHelp = z.registry<KeyHelp>();

const KIB = 1024;
const MIB = KIB ** 2;
const GIB = KIB ** 3;

// Decimal units are powers of 1000 and binary ones of 1024 (IEC 80000-13), whatever their case.
const bytesPerUnit: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: KIB,
  mib: MIB,
  gib: GIB,
};

/** Reads `268435456`, `256MiB` or `1.5 GB` as bytes; undefined when it is neither. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d{1,15}(?:\.\d{1,6})?) ?([kmg]?i?b)?$/i.exec(text);
  if (match === null) {
    return undefined;
  }
  const perUnit = bytesPerUnit[(match[2] ?? 'b').toLowerCase()];
  return perUnit === undefined ? undefined : Math.round(Number(match[1]) * perUnit);
}

export const DEFAULT_QUEUE_BYTES = 256 * MIB;
export const bytesExpected = 'a whole number of bytes or a size such as "256MiB", 1 KiB to 64 GiB';

export function bytes() {
  return z.preprocess(
    (value) => (typeof value === 'string' ? (parseBytes(value) ?? value) : value),
    z
      .int()
      .min(KIB)
      .max(64 * GIB),
  );
}

export function port() {
  return z.int().min(0).max(65_535);
}

export const hostExpected = 'an IP address or a host name, without a port';
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9][a-z0-9_-]{0,62}(\.[a-z0-9][a-z0-9_-]{0,62})*\.?$/i;
const ONLY_DIGITS_AND_DOTS = /^[\d.]+$/;

export function host() {
  return z
    .string()
    .refine(
      (text) => isIP(text) !== 0 || (HOST_NAME.test(text) && !ONLY_DIGITS_AND_DOTS.test(text)),
    );
}

export const pathExpected = 'a path';

export function path() {
  return z
    .string()
    .min(1)
    .max(4096)
    .refine((text) => !text.includes('\0'));
}

export function deployName() {
  return z.string().refine(isDeployName);
}

export const corsOriginExpected = '"*", "none" or an origin such as "https://panel.example:8443"';

export function corsOrigin() {
  return z.string().refine((text) => text === '*' || text === 'none' || isHttpOrigin(text));
}

function isHttpOrigin(text: string): boolean {
  return /^https?:/.test(text) && URL.canParse(text) && new URL(text).origin === text;
}
