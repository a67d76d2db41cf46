import type { KeyObject } from 'node:crypto';
import { z } from 'zod';
import { err, ok, type Result } from '../core/result.ts';
import { describeIssue } from '../core/schema-issue.ts';
import { readBoundedFile } from './bounded-file.ts';
import { productName } from './claims.ts';
import { computeKeyId, importPublicKey, type LicenseKind, licenseKinds } from './keys.ts';

const MAX_BUILD_FILE_BYTES = 64 * 1024;
/** The current one and the next. */
const MAX_KEYS_OF_A_KIND = 2;

const keySchema = z
  .strictObject({
    kid: z.string(),
    kind: z.enum(licenseKinds),
    /** 32 bytes in base64url. */
    publicKey: z.string(),
  })
  .superRefine(({ kid, kind, publicKey }, context) => {
    if (importPublicKey(publicKey) === undefined) {
      const message = 'expected the 32 bytes of an Ed25519 public key in base64url';
      context.addIssue({ code: 'custom', path: ['publicKey'], message });
    } else if (kid !== computeKeyId(kind, publicKey)) {
      const message = `expected ${computeKeyId(kind, publicKey)}, which follows from kind and publicKey`;
      context.addIssue({ code: 'custom', path: ['kid'], message });
    }
  });

const buildSchema = z.strictObject({
  product: productName,
  /** The day of this release; no honest clock shows an earlier one. */
  built: z.iso.date('expected a date such as 2027-12-31'),
  keys: z.array(keySchema).superRefine((keys, context) => {
    for (const kind of licenseKinds) {
      const count = keys.filter((key) => key.kind === kind).length;
      if (count > MAX_KEYS_OF_A_KIND) {
        const message = `expected at most ${MAX_KEYS_OF_A_KIND} keys for ${kind} licences, the current and the next, found ${count}`;
        context.addIssue({ code: 'custom', message });
      }
    }
    if (new Set(keys.map(({ publicKey }) => publicKey)).size < keys.length) {
      const message = 'expected every key once and for one kind, found one twice';
      context.addIssue({ code: 'custom', message });
    }
  }),
  /** The licence that a host without any issues itself at first start. */
  evaluation: z.strictObject({ enabled: z.boolean(), days: z.int().min(1).max(366) }),
});

export type BuildFile = z.infer<typeof buildSchema>;

interface BuildKey {
  readonly kid: string;
  readonly kind: LicenseKind;
  readonly publicKey: KeyObject;
}

/** What the vendor built into this release: `license/build.json`. */
export interface LicenseBuild {
  readonly product: string;
  /** The day of this release, such as `2026-11-22`. */
  readonly builtOn: string;
  /** By key id; of each kind the current one comes first. */
  readonly keys: ReadonlyMap<string, BuildKey>;
  readonly evaluation: BuildFile['evaluation'];
}

/** Reads `license/build.json`; the error names every problem, a sentence each. */
export async function readLicenseBuild(path: string): Promise<Result<LicenseBuild, string[]>> {
  const file = await readBoundedFile(path, MAX_BUILD_FILE_BYTES, { followsLinks: true });
  if (!file.ok) {
    return err([`${path}: ${file.error.detail}`]);
  }
  const parsed = parseBuildFile(file.value);
  return parsed.ok
    ? ok(createLicenseBuild(parsed.value))
    : err(parsed.error.map((problem) => `${path}: ${problem}`));
}

/** Checks the text of a `build.json`. */
export function parseBuildFile(bytes: Buffer): Result<BuildFile, string[]> {
  let json: unknown;
  try {
    json = JSON.parse(bytes.toString());
  } catch {
    return err(['expected JSON, found something else']);
  }
  const parsed = buildSchema.safeParse(json);
  return parsed.success
    ? ok(parsed.data)
    : err(parsed.error.issues.map((issue) => describeIssue(issue, json, 'the file')));
}

export function createLicenseBuild({ product, built, keys, evaluation }: BuildFile): LicenseBuild {
  const entries = keys.flatMap(({ publicKey: text, ...key }): [string, BuildKey][] => {
    const publicKey = importPublicKey(text);
    return publicKey === undefined ? [] : [[key.kid, { ...key, publicKey }]];
  });
  return { product, builtOn: built, keys: new Map(entries), evaluation };
}
