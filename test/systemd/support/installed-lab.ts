import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import type { LabOptions } from '../../../scripts/systemd-lab/lab.ts';
import { type MakeOptions, unpackAsReleases } from './releases.ts';
import { ADMIN, bootEmptyLab, type ServiceLab } from './service-lab.ts';

/** Where the lab sees the releases, read-only. */
export const STICK = '/mnt/stick';
export const CONFIG = '/etc/edge-infer/edge-infer.yaml';
const INSTALL_TIMEOUT_MS = 180_000;

const serve = 'app/src/cli/commands/serve.ts';
/** All but `one` and `two` are well until they serve. */
const kinds: Readonly<Record<string, MakeOptions>> = {
  one: {},
  two: {},
  'other-key': { isOtherVendor: true },
  crashing: {
    changes: {
      [serve]: (text) =>
        `${text}\nif (process.argv.includes('serve')) setTimeout(() => process.exit(3), 5000);\n`,
    },
  },
  'answering-wrongly': {
    changes: {
      'app/src/http/envelope.ts': (text) =>
        text.replace(
          'JSON.stringify(ranking.scores[place])',
          "JSON.stringify((ranking.scores[place] ?? 0) * (process.argv.includes('serve') ? 0.9 : 1))",
        ),
    },
  },
  'wrong-model': {
    changes: {
      'app/models/efficientnet-lite0/manifest.json': (text) =>
        text.replaceAll(/"name": "football helmet"/g, '"name": "tench"'),
    },
  },
  strict: {
    changes: {
      'app/src/config/schema.ts': (text) =>
        text.replace('z.int().min(10).max(600_000)', 'z.int().min(60_000).max(600_000)'),
    },
  },
  'other-unit': {
    changes: {
      'systemd/edge-infer.service': (text) => `${text}# of another release\n`,
      'systemd/edge-infer.socket': (text) => text.replace('Backlog=4096', 'Backlog=2048'),
    },
  },
};

export interface InstalledLab extends ServiceLab {
  /** Runs install.sh with these words; fails where it does not exit with the status. */
  install(words: string, status?: number): Promise<string>;
  /** The version that answers, as /readyz says it. */
  version(): Promise<string>;
}

/** A machine that sees releases of these kinds: the first is version 1.0.0, as folder `1` and by its name. */
export async function bootInstallLab(
  names: readonly (keyof typeof kinds)[],
  options: LabOptions = {},
): Promise<InstalledLab> {
  const releases = await unpackAsReleases(inject('archive'));
  try {
    for (const [index, name] of names.entries()) {
      const number = `${index + 1}`;
      await releases.make(number, `${number}.0.0`, kinds[name]);
      await symlink(number, join(releases.folder, name)).catch(() => undefined); // the same kind again
    }
    const lab = await bootEmptyLab({ ...options, folders: { [STICK]: releases.folder } });
    return {
      ...lab,
      get pid() {
        return lab.pid;
      },
      async install(words, status = 0) {
        const { code, stdout, stderr } = await lab.run(`sh ${words}`, {
          timeoutMs: INSTALL_TIMEOUT_MS,
        });
        expect({ code, said: stdout + stderr }).toMatchObject({ code: status });
        return stdout + stderr;
      },
      async version() {
        // Not curl's own retries: those print what came with each 503, too.
        const text = await lab.sh(`until curl -s -m 5 ${ADMIN}/readyz; do sleep 0.2; done`);
        return (JSON.parse(text) as { version: string }).version;
      },
      async [Symbol.asyncDispose]() {
        await lab[Symbol.asyncDispose]();
        await releases[Symbol.asyncDispose]();
      },
    };
  } catch (error) {
    await releases[Symbol.asyncDispose]();
    throw error;
  }
}
