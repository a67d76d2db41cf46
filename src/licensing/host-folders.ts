import { userInfo } from 'node:os';
import { join } from 'node:path';

/**
 * Folders of this host that no setting and no environment variable chooses, so that records
 * outlast a new `stateDir` and another `HOME`. Most users may write to one of them alone.
 */
export function findHostFolders(): string[] {
  return [
    '/var/lib/edge-infer-records',
    ...findHome().map((home) => join(home, '.local/state/edge-infer')),
  ];
}

/** As the list of users has it; a container's user may not be in that. */
function findHome(): string[] {
  try {
    return [userInfo().homedir];
  } catch {
    return [];
  }
}
