import { ok } from '../../core/result.ts';
import type { Claims } from '../../licensing/claims.ts';
import { type Checked, type Problem, refuse } from './problems.ts';
import { type Reissue, readRecordedLicense } from './register-entry.ts';
import type { Register } from './register-file.ts';

/** A licence that was issued, and what became of it. */
export interface IssuedLicense {
  readonly claims: Claims;
  /** Of the key that signed its newest form. */
  readonly kid: string;
  readonly file: string;
  /** How it came to take the place of another one. */
  readonly reissue?: Reissue;
  readonly revoked?: { readonly at: string; readonly reason?: string };
  /** The licence that took its place. */
  readonly replacedBy?: string;
}

export function statusOf(
  { claims, revoked, replacedBy }: IssuedLicense,
  nowS: number,
): 'live' | 'ended' | 'replaced' | 'revoked' {
  if (revoked !== undefined) return 'revoked';
  if (replacedBy !== undefined) return 'replaced';
  return claims.exp !== undefined && claims.exp <= nowS ? 'ended' : 'live';
}

/** Every licence of a register by its `lic_id`, in the order in which they were issued. */
export function collectIssued({ path, entries }: Register): Checked<Map<string, IssuedLicense>> {
  const issued = new Map<string, IssuedLicense>();
  const problems: Problem[] = [];
  for (const entry of entries) {
    const known = issued.get(entry.lic_id);
    if (entry.event === 'revoked') {
      const { at, reason } = entry;
      // One that the register does not know was revoked by its id alone.
      if (known !== undefined) {
        issued.set(entry.lic_id, {
          ...known,
          revoked: reason === undefined ? { at } : { at, reason },
        });
      }
      continue;
    }
    const recorded = readRecordedLicense(entry.file);
    if (!recorded.ok || recorded.value.claims.lic_id !== entry.lic_id) {
      const reason = recorded.ok ? 'its file is another licence' : recorded.error;
      problems.push({ exit: 'DATA', text: `register ${path}: ${entry.lic_id}: ${reason}` });
      continue;
    }
    const reissue = entry.event === 'issued' ? entry.reissue : known?.reissue;
    issued.set(entry.lic_id, {
      ...known,
      ...recorded.value,
      file: entry.file,
      ...(reissue === undefined ? {} : { reissue }),
    });
    for (const old of recorded.value.claims.replaces ?? []) {
      const replaced = issued.get(old);
      if (replaced !== undefined) {
        issued.set(old, { ...replaced, replacedBy: entry.lic_id });
      }
    }
  }
  return problems.length === 0 ? ok(issued) : { ok: false, error: problems };
}

export function findIssued(
  issued: ReadonlyMap<string, IssuedLicense>,
  licId: string,
): Checked<IssuedLicense> {
  const found = issued.get(licId);
  return found === undefined
    ? refuse('DATA', `${licId} is not in the register; "edge-infer vendor list" shows what is`)
    : ok(found);
}
