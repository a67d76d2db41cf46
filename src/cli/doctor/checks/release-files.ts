import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { readPackageInfo } from '../../../platform/package-info.ts';
import { count } from '../../count.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, problem, warning } from '../finding.ts';
import { INSTALL_AGAIN } from '../installation.ts';

/** `bin/verify-archive.mjs` of the archive, which an upgrade verifies the next release with. */
interface Verifier {
  verifyArchive(
    folder: string,
    trusted: { publicKey?: string },
  ): Promise<{
    readonly problems: readonly { readonly path: string; readonly problem: string }[];
    readonly manifest?: { readonly files: readonly object[] };
  }>;
}

const MAX_TOLD = 5;
const MANIFEST = 'MANIFEST.json';
const SIGNATURE = 'MANIFEST.sig';
const STRANGE = 'expected nothing here';

/** Compares every file of the release with the hash in its signed list: a second for all. */
export const releaseFilesCheck: Check = {
  name: 'release-files',
  async run() {
    const { root, version } = readPackageInfo();
    const folder = dirname(root);
    const verifier = join(folder, 'bin/verify-archive.mjs');
    if (![verifier, join(folder, MANIFEST)].every((path) => existsSync(path))) {
      return []; // not from an archive
    }
    const { verifyArchive } = (await import(pathToFileURL(verifier).href)) as Verifier;
    const key = join(folder, 'release-key.pub');
    const isSigned = existsSync(join(folder, SIGNATURE)) && existsSync(key);
    const trusted = isSigned ? { publicKey: await readFile(key, 'utf8') } : {};
    const { problems, manifest } = await verifyArchive(folder, trusted);
    if (problems.length === 0) {
      const files = count(manifest?.files.length ?? 0, 'file');
      return [fine(`${files} as the ${isSigned ? 'signed' : 'unsigned'} list of ${version} says`)];
    }
    const untold = problems.length - MAX_TOLD;
    return [
      ...problems.slice(0, MAX_TOLD).map((each) => describe(each, folder, version)),
      ...(untold > 0 ? [describe({ path: `${untold} more`, problem: '' }, folder, version)] : []),
    ];
  },
};

function describe(
  { path, problem: found }: { readonly path: string; readonly problem: string },
  folder: string,
  version: string,
): Finding {
  const text = found === '' ? `${path} like these` : `${join(folder, path)}: ${found}`;
  return found.startsWith(STRANGE)
    ? warning(
        text,
        `Somebody added it; it goes with this release. Own models lie in /opt/edge-infer/models.`,
        `ls -l ${join(folder, path)}`,
      )
    : problem(
        text,
        'The release is not as it was shipped: a disk that fails, or somebody changed it. Installing its archive again puts it right.',
        `${INSTALL_AGAIN} edge-infer-${version}-linux-x64-cpu.tar.gz`,
      );
}
