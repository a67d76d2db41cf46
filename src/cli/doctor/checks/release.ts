import { readFile, readlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readPackageInfo } from '../../../platform/package-info.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, warning } from '../finding.ts';
import { INSTALLATION } from '../installation.ts';

/** What is installed, and what a rollback would go back to. */
export const releaseCheck: Check = {
  name: 'release',
  async run() {
    const { version, root, runtimeVersion } = readPackageInfo();
    const { commit, flavor } = await readManifest(join(dirname(root), 'MANIFEST.json'));
    const more = commit === undefined ? '' : `, ${flavor}, commit ${commit.slice(0, 12)}`;
    return [
      fine(
        `edge-infer ${version}${more}; Node ${process.versions.node}, onnxruntime ${runtimeVersion}`,
      ),
      ...(await describeLinks(version)),
    ];
  },
};

async function describeLinks(version: string): Promise<Finding[]> {
  const [current, previous] = await Promise.all(
    ['current', 'previous'].map((name) =>
      readlink(join(INSTALLATION, name)).catch(() => undefined),
    ),
  );
  if (current === undefined) {
    return [];
  }
  return [
    basename(current) === version
      ? fine(`${INSTALLATION}/current is ${basename(current)}`)
      : warning(
          `${INSTALLATION}/current is ${basename(current)}, and this program is ${version}`,
          'Not the installed release tells this.',
          `${INSTALLATION}/current/bin/edge-infer doctor`,
        ),
    previous === undefined
      ? note('there is no previous release', 'A rollback has nothing to go back to.')
      : fine(`the previous release is ${basename(previous)}`),
  ];
}

interface ReleaseManifest {
  readonly commit?: string;
  readonly flavor?: string;
}

async function readManifest(path: string): Promise<ReleaseManifest> {
  try {
    return JSON.parse(await readFile(path, 'utf8')) as ReleaseManifest;
  } catch {
    return {}; // not from an archive
  }
}
