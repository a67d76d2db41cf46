import type { FaultCode } from '../core/errors.ts';

interface StateFacts {
  /** `warning` is served like `valid`, and told to the operator; `refused` answers `fault`. */
  readonly class: 'valid' | 'warning' | 'refused';
  /** One sentence for people; the decision's detail and remedy say the rest. */
  readonly meaning: string;
  readonly fault?: FaultCode;
  /** After how many seconds a caller should ask again, where waiting may be enough. */
  readonly retryAfterS?: number;
}

function valid(meaning: string) {
  return { class: 'valid', meaning } as const;
}

function warning(meaning: string) {
  return { class: 'warning', meaning } as const;
}

function refused(meaning: string) {
  return { class: 'refused', meaning, fault: 'LICENSE_REFUSED' } as const;
}

function unavailable(meaning: string, retryAfterS: number) {
  return { class: 'refused', meaning, fault: 'UNAVAILABLE', retryAfterS } as const;
}

/** Every state a licence can be in: one list for logs, metrics, `/readyz`, commands and answers. */
export const licenseStates = {
  VALID: valid('A permanent licence for this hardware is in force.'),
  TRIAL: valid('A trial for this hardware is in force.'),

  EXPIRING: warning('The trial ends soon.'),
  HARDWARE_DRIFT: warning('Hardware has changed since the licence was issued; it still fits.'),
  CLOCK_SUSPECT: warning('The clock of this host cannot be right.'),

  NOT_FOUND: refused('There is no licence.'),
  MALFORMED: refused('The licence file is damaged, or is no licence file.'),
  BAD_SIGNATURE: refused('The licence was changed after it was signed.'),
  UNKNOWN_KEY: refused('The licence was signed with a key that this release does not know.'),
  PRODUCT_MISMATCH: refused('The licence is for another product.'),
  VERSION_NOT_COVERED: refused('The licence does not cover a release as new as this one.'),
  NOT_YET_VALID: refused('The licence begins later.'),
  EXPIRED: refused('The trial has ended.'),
  HARDWARE_MISMATCH: refused('The licence is for another host.'),
  GPU_MISMATCH: refused('The licence is for another graphics card.'),
  CLOCK_ROLLBACK: refused('The clock of this host was set back.'),
  REVOKED: refused('The licence was withdrawn.'),
  CONTAINER_DENIED: refused('The licence does not allow containers.'),
  GPU_NOT_FOUND: unavailable('The graphics card cannot be seen, perhaps not yet.', 30),
  CHECKING: unavailable('The server has just started, and the licence is being checked.', 1),
} as const satisfies Record<string, StateFacts>;

export type LicenseState = keyof typeof licenseStates;
