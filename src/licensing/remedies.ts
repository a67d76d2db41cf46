import type { LicenseState } from './states.ts';

const ASK =
  'Write a request with "edge-infer license request", send it to your vendor, and put in place what comes back with "edge-infer license install FILE"';
const ASK_FOR_NEW = `${ASK}; the licence of the old hardware is given up with "edge-infer license release".`;
const SEND_AGAIN = 'Copy the file from your vendor again, or ask for it again.';

const LET_READ =
  'See to what the reason says: the rights of the user that runs the service, its limit of open files, or the disk; it is tried again by itself.';

/** What an operator can do in each state. */
const remedies: Readonly<Record<LicenseState, string>> = {
  VALID: '',
  TRIAL: '',
  EXPIRING: `${ASK}.`,
  HARDWARE_DRIFT: `Nothing is urgent. Before more hardware changes: ${ASK.charAt(0).toLowerCase()}${ASK.slice(1)}.`,
  CLOCK_SUSPECT: 'Set the clock of this host (see "timedatectl"), and its battery if it stops.',
  NOT_FOUND: `${ASK}.`,
  MALFORMED: SEND_AGAIN,
  BAD_SIGNATURE: SEND_AGAIN,
  UNKNOWN_KEY:
    'Install the release that your vendor sent with this licence, or ask for a licence for this one.',
  PRODUCT_MISMATCH:
    'Give the service the deploy name and the model that the licence is for, or ask your vendor for a licence for this one.',
  VERSION_NOT_COVERED: 'Go back to the release before, or ask your vendor to renew the updates.',
  NOT_YET_VALID:
    'Set the clock of this host (see "timedatectl"), or wait until the licence begins.',
  EXPIRED: `${ASK}.`,
  HARDWARE_MISMATCH: ASK_FOR_NEW,
  GPU_MISMATCH: ASK_FOR_NEW,
  CLOCK_ROLLBACK: 'Set the clock of this host to the present time (see "timedatectl").',
  REVOKED: 'Ask your vendor for another licence.',
  CONTAINER_DENIED:
    'Run it outside of the container, or ask your vendor for a licence that allows containers.',
  GPU_NOT_FOUND:
    'Check that the driver sees the card ("nvidia-smi -L"); it is looked for again every few seconds.',
  CHECKING:
    'Wait a moment; where that does not help, see whether the disks answer on which the licences and the state folder lie.',
};

/** What an operator can do about a state, in whole sentences; empty where there is nothing to do. */
export function findRemedy(state: LicenseState, isUnread = false): string {
  return isUnread ? LET_READ : remedies[state];
}
