import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { err, ok, type Result } from '../core/result.ts';
import type { RecordPlace, RecordText } from './record-file.ts';

/** The name of the key's file, beside the records. */
export const HOLDER_KEY_FILE = 'license-holder.key';

/**
 * The key by which this host shows that it is the one a licence was requested for: it signs the
 * proof that the licence was given up. Made at first use and kept in each place; where one was
 * lost or damaged it comes back from the other. The error says why there is none that would last.
 */
export async function ensureHolderKey(
  places: readonly RecordPlace[],
): Promise<Result<KeyObject, string>> {
  const texts = await Promise.all(places.map((place) => place.read()));
  let text = texts.map(parseKeyText).find((each) => each !== undefined) ?? generateKeyText();
  let copies = 0;
  const problems: string[] = [];
  for (const place of places) {
    const revised = await place.revise((present) => {
      const theirs = parseKeyText(present);
      // The first place decides, so that two processes that start at once end with one key.
      if (theirs !== undefined && copies === 0) text = theirs;
      return {
        text: theirs ?? text,
        replacesDamage: theirs === undefined && !isMissing(present),
      };
    });
    if (revised.ok) {
      copies++;
    } else {
      problems.push(`${place.path}: ${revised.error.detail}`);
    }
  }
  const wasThere = texts.some((each) => parseKeyText(each) === text);
  return copies > 0 || wasThere ? ok(createPrivateKey(text)) : err(problems.join('; '));
}

function parseKeyText(text: RecordText): string | undefined {
  if (!text.ok) return undefined;
  try {
    return createPrivateKey(text.value).asymmetricKeyType === 'ed25519' ? text.value : undefined;
  } catch {
    return undefined; // damaged
  }
}

function isMissing(text: RecordText): boolean {
  return !text.ok && text.error.isMissing;
}

function generateKeyText(): string {
  const { privateKey } = generateKeyPairSync('ed25519');
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}
