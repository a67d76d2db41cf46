/** The archive that the tests install, and the shortest way to have it serve without install.sh. */
import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildArchive } from '../package/build.ts';
import { findInCache } from './debian-root.ts';
import type { Lab } from './lab.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/**
 * Builds the archive of this working tree, quickly instead of small, and returns its path.
 * `version` is what the release calls itself.
 */
export async function buildRelease(version: string, tell: (text: string) => void): Promise<string> {
  // Working trees that are tested at the same time leave each other's archive alone.
  const out = findInCache(
    join('archives', createHash('sha256').update(root).digest('hex').slice(0, 12)),
  );
  await mkdir(out, { recursive: true });
  let last = '';
  const { file } = await buildArchive({
    ...{ root, version, flavor: 'cpu', key: undefined, out, compressionLevel: 1 },
    onProgress(step) {
      if (step !== last) {
        tell(`systemd-lab: building the archive of ${version}: ${step}`);
        last = step;
      }
    },
  });
  return file;
}

/**
 * Unpacks the archive and enables the units, as install.sh does without its checks: for tests of the
 * running service. Nothing is started.
 */
export async function unpackRelease(lab: Lab, archive: string): Promise<void> {
  const top = '/opt/edge-infer';
  await lab.copyIn(archive, '/var/tmp');
  const name = basename(archive);
  await lab.sh(`
    set -e
    mkdir -p ${top}/releases
    tar -C ${top}/releases --no-same-owner -xzf /var/tmp/${name}
    rm /var/tmp/${name}
    cd ${top}/releases
    mv edge-infer-* "$(echo edge-infer-* | cut -d- -f3-)"
    ln -s "releases/$(ls)" ${top}/current
    ln -s ${top}/current/bin/edge-infer /usr/local/bin/edge-infer
    cp ${top}/current/systemd/*.service ${top}/current/systemd/*.socket /etc/systemd/system
    systemctl daemon-reload
    systemctl enable -q edge-infer.socket edge-infer-admin.socket edge-infer.service`);
}
