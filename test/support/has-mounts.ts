import { spawnSync } from 'node:child_process';

/** Whether tests may have folders of their own in the place of this host's: root, where namespaces are allowed. */
export const hasMounts =
  process.getuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;
