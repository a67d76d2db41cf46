import { readdir, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Check } from '../check.ts';
import { type Finding, note, warning } from '../finding.ts';
import {
  INSTALL_AGAIN,
  INSTALL_LOCK,
  INSTALL_LOG,
  isLocked,
  PENDING_FILE,
  ROLLED_BACK_LINK,
  readLastInstallation,
  UNITS_FOLDER,
} from '../installation.ts';
import { readText } from '../read-text.ts';

const SHOW_LOG = `tail -n 40 ${INSTALL_LOG}`;
/** Of the log, which is never cut. */
const MAX_LOG_CHARACTERS = 64 * 1024;

/** What install.sh has left: a switch that did not end, a failure, units that it has put aside. */
export const installationCheck: Check = {
  name: 'installation',
  async run() {
    const found = await Promise.all([
      describePending(),
      describeRollback(),
      describeLastRun(),
      describeEditedUnits(),
    ]);
    return found.flat();
  },
};

async function describePending(): Promise<Finding[]> {
  const pending = await readText(PENDING_FILE);
  if (pending === undefined) {
    return [];
  }
  const [from = '', to = ''] = ['from', 'to'].map(
    (key) => new RegExp(`^${key}=(.*)$`, 'm').exec(pending)?.[1],
  );
  const text = `a switch from ${from || 'nothing'} to ${to} has not ended`;
  return (await isAtWork())
    ? [note(text, 'install.sh is at work; it ends within some minutes.', SHOW_LOG)]
    : [
        warning(
          text,
          'install.sh was cut off. Either release may serve; running it again ends the switch.',
          INSTALL_AGAIN,
        ),
      ];
}

async function isAtWork(): Promise<boolean> {
  const [lock, locks] = await Promise.all([
    stat(INSTALL_LOCK).catch(() => undefined),
    readText('/proc/locks'),
  ]);
  return lock !== undefined && isLocked(locks ?? '', lock.ino);
}

async function describeRollback(): Promise<Finding[]> {
  try {
    const left = basename(await readlink(ROLLED_BACK_LINK));
    const meaning = 'Somebody went back to the release before it, which serves now.';
    return [note(`release ${left} was rolled back`, meaning, SHOW_LOG)];
  } catch {
    return []; // nobody has
  }
}

async function describeLastRun(): Promise<Finding[]> {
  const log = await readText(INSTALL_LOG);
  const last = readLastInstallation(log?.slice(-MAX_LOG_CHARACTERS) ?? '');
  return last?.failure === undefined
    ? []
    : [
        warning(
          `the last "${last.call}" failed (${last.at}): ${last.failure}`,
          'What served before serves on, unless this says otherwise.',
          SHOW_LOG,
        ),
      ];
}

/** install.sh keeps them under a name that systemd passes over. */
async function describeEditedUnits(): Promise<Finding[]> {
  const folders = (await readdir(UNITS_FOLDER).catch(() => []))
    .filter((name) => /^edge-infer.*\.d$/.test(name))
    .map((name) => join(UNITS_FOLDER, name));
  const lists = [UNITS_FOLDER, ...folders].map(async (folder) =>
    (await readdir(folder).catch(() => [])).map((name) => join(folder, name)),
  );
  const paths = (await Promise.all(lists)).flat();
  return paths
    .filter((path) => /\/edge-infer.*\.edited-[0-9a-f]+$/.test(path))
    .sort()
    .map((path) =>
      note(
        `${path} is a hand-edited unit that an installation has replaced`,
        'It is not in force. Put what you need of it into a drop-in (systemctl edit), then delete it.',
        `diff ${path.replace(/\.edited-[0-9a-f]+$/, '')} ${path}`,
      ),
    );
}
