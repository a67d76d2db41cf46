/**
 * Loaded before the program that a test starts (`--import`): the folders of this host, which no
 * setting chooses, give way to one of the test's own. Plain JavaScript, since tests also start
 * other releases of Node.
 */
import * as module from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const home = process.env.XDG_STATE_HOME ?? join(tmpdir(), 'edge-infer-test-user-state');
const folders = JSON.stringify([join(home, 'host')]);

module.registerHooks?.({
  load: (url, context, next) =>
    url.endsWith('/src/licensing/host-folders.ts')
      ? {
          format: 'module',
          shortCircuit: true,
          source: `export const findHostFolders = () => ${folders};`,
        }
      : next(url, context),
});
