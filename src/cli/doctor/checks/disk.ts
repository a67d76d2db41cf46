import { constants, type Stats } from 'node:fs';
import { access, stat, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Config } from '../../../config/schema.ts';
import { within } from '../../../core/within.ts';
import { readPackageInfo } from '../../../platform/package-info.ts';
import { SERVICE_UNIT } from '../../units/units.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem, warning } from '../finding.ts';
import { formatBytes } from '../format-units.ts';
import type { HostView } from '../host-view.ts';

interface Folder {
  readonly path: string;
  readonly use: string;
  readonly isWritten: boolean;
}

const PATIENCE_MS = 5_000;
/** A prepared model, records and licences need far less. */
const SCARCE_BYTES = 256 * 1024 ** 2;
const TOO_FEW_BYTES = 16 * 1024 ** 2;
const TOO_FEW_FILES = 100;

/** Whether there is room, and whether the server may write where it must. */
export const diskCheck: Check = {
  name: 'disk',
  async run(host) {
    if (host.config === undefined) {
      return [];
    }
    const checks = listFolders(host.config).map(
      async (folder) =>
        (await within(PATIENCE_MS, checkFolder(folder, host))) ?? [describeHanging(folder)],
    );
    return (await Promise.all(checks)).flat();
  },
};

function listFolders({ stateDir, license, modelsDir }: Config): Folder[] {
  const cache = process.env.NODE_COMPILE_CACHE;
  return [
    { path: stateDir, use: 'state', isWritten: true },
    { path: license.recordsDir, use: 'records', isWritten: true },
    ...(cache === undefined ? [] : [{ path: cache, use: 'compiled code', isWritten: true }]),
    { path: modelsDir, use: 'models', isWritten: false },
    { path: readPackageInfo().root, use: 'program', isWritten: false },
  ];
}

function describeHanging({ path, use }: Folder): Finding {
  return problem(
    `${use} ${path}: its disk does not answer within ${PATIENCE_MS / 1000} s`,
    'A disk that fails, or a network folder whose server is away; the server may hang on it, too.',
    `findmnt -T ${path}; sudo dmesg | tail`,
  );
}

async function checkFolder(folder: Folder, host: HostView): Promise<Finding[]> {
  const { path, use } = folder;
  const there = await findExisting(path);
  if ('error' in there) {
    return [describeUnseen(folder, there.error, host)];
  }
  const { bavail, bsize, ffree, files } = await statfs(there.path);
  const free = bavail * bsize;
  const text = `${use} ${path}: ${formatBytes(free)} free`;
  const room =
    free < TOO_FEW_BYTES || (files > 0 && ffree < TOO_FEW_FILES)
      ? problem(
          `${text}${files > 0 && ffree < TOO_FEW_FILES ? `, room for ${ffree} files` : ''}`,
          'Nothing more can be written there: no licence, no record, no prepared model, no upgrade.',
          `df -h ${there.path}; df -i ${there.path}`,
        )
      : free < SCARCE_BYTES
        ? warning(text, 'An upgrade or a larger model may not find room.', `df -h ${there.path}`)
        : fine(text);
  return [room, ...(await describeWriting(folder, there, host))];
}

/** The folder itself, or the nearest one above it that is there. */
async function findExisting(
  path: string,
): Promise<{ readonly path: string; readonly stats: Stats } | { readonly error: string }> {
  try {
    return { path, stats: await stat(path) };
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' && dirname(path) !== path
      ? findExisting(dirname(path))
      : { error: code };
  }
}

function describeUnseen({ path, use }: Folder, code: string, { isRoot }: HostView): Finding {
  return code === 'EACCES' && !isRoot
    ? note(
        `${use} ${path}: this user may not look there`,
        'Root sees more.',
        'sudo edge-infer doctor',
      )
    : problem(
        `${use} ${path}: cannot be looked at (${code})`,
        'The server may fail to use it.',
        `ls -ld ${path}`,
      );
}

async function describeWriting(
  { path, use, isWritten }: Folder,
  there: { readonly path: string; readonly stats: Stats },
  { unit, isRoot }: HostView,
): Promise<Finding[]> {
  if (!isWritten) {
    return [];
  }
  const user = Number.parseInt(unit(SERVICE_UNIT)?.get('UID') ?? '', 10);
  const isService = Number.isFinite(user) && there.path === path;
  if (isService && isRoot) {
    const { uid, mode } = there.stats;
    return uid === user && (mode & 0o200) !== 0
      ? []
      : [
          problem(
            `${use} ${path} belongs to user ${uid}, and the service runs as user ${user}`,
            'It cannot keep records and prepared models there.',
            `sudo chown -R ${user}:${user} ${path} && sudo systemctl restart edge-infer`,
          ),
        ];
  }
  try {
    await access(there.path, constants.W_OK);
    return [];
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'EROFS' || isRoot || unit(SERVICE_UNIT) === undefined
      ? [
          problem(
            `${use} ${path} cannot be written to (${code})`,
            'Records and prepared models are not kept, so a trial may not begin and each start takes longer.',
            `ls -ld ${there.path}; findmnt -T ${there.path}`,
          ),
        ]
      : [];
  }
}
