import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** Somebody without root, as whom root tries what those may do; others try it as themselves. */
const user = '65533';
const asUser =
  process.getuid?.() === 0
    ? ['setpriv', '--reuid', user, '--regid', user, '--clear-groups', '--no-new-privs']
    : [];
const namespaces = ['unshare', '--map-root-user', '--mount', '--net', '--pid', '--fork'];

/** Whether this kernel lets users without root have mounts of their own. */
export const hasUserNamespaces = spawnSync('env', [...asUser, ...namespaces, 'true']).status === 0;

/**
 * Runs a script of `sh` as a user without root who is root of mounts, network and processes of their
 * own, and returns its output. It ends at the first command that fails.
 */
export async function runAsForger(script: string): Promise<string> {
  const command = [...asUser, ...namespaces, 'sh', '-ec', script];
  const { stdout } = await promisify(execFile)('env', command, { timeout: 30_000 });
  return stdout;
}
