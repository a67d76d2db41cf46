import { ok } from '../../core/result.ts';
import type { Claims } from '../../licensing/claims.ts';
import { composeGpuFingerprint, composeHostFingerprint } from '../../licensing/compose.ts';
import type { LicenseRequest } from '../../licensing/request.ts';
import { readRequestFile } from '../license/read-request-file.ts';
import { type Checked, refuse } from './problems.ts';
import { readNamedFile } from './read-file.ts';

/** A photo of its QR code is the largest form. */
export const MAX_REQUEST_BYTES = 16 * 1024 * 1024;

/** Reads what a customer's host says of itself, in any of a request's forms; `-` is standard input. */
export async function readRequest(path: string): Promise<Checked<LicenseRequest>> {
  const file = await readNamedFile('--request', path, MAX_REQUEST_BYTES);
  if (!file.ok) {
    return file;
  }
  const request = await readRequestFile(file.value);
  return request.ok ? request : refuse('DATA', `--request ${path}: ${request.error}`);
}

export interface Terms {
  readonly tier: Claims['tier'];
  readonly container: Claims['container'];
  /** Which of the request's cards; needed only where it names several. */
  readonly gpu?: number | undefined;
  /** Whether a host will do that cannot be told from a copy of it, as a virtual machine without a UUID. */
  readonly acceptWeak?: true | undefined;
}

/** The part of a licence that binds it to the host or card of a request. */
export type Binding = Pick<Claims, 'tier' | 'fp' | 'holder' | 'container'>;

export function bindTo(
  request: LicenseRequest,
  { tier, container, gpu, acceptWeak }: Terms,
): Checked<Binding> {
  if (request.machine === 'container' && container === 'deny') {
    return refuse(
      'DATA',
      'the request comes from a container, where a licence works only if it allows that (--container allow)',
    );
  }
  const strict = acceptWeak !== true;
  const fp =
    tier === 'gpu'
      ? composeGpuFingerprint(request, gpu)
      : composeHostFingerprint(request, { strict });
  return fp.ok
    ? ok({ tier, fp: fp.value, holder: request.holder, container } as Binding)
    : refuse(
        'DATA',
        `the request: ${fp.error}${strict && tier === 'cpu' ? ' (--accept-weak takes it as it is: a copy of the host may then pass for it)' : ''}`,
      );
}
