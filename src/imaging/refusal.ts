import { type Fault, fault } from '../core/errors.ts';
import { err } from '../core/result.ts';

/** The outcome for bytes that are no image we can read; `detail` names what was found and where. */
export function unreadable(detail: string): { readonly ok: false; readonly error: Fault } {
  return err(fault('IMAGE_UNREADABLE', detail));
}
