import { chown, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { testBuildFile, testKeys } from '../../../scripts/license-vectors/test-keys.ts';
import { encryptKey, MIN_COST } from '../../../src/cli/vendor/key-file.ts';
import { writeArmour } from '../../../src/licensing/armour.ts';
import type { BuildFile } from '../../../src/licensing/build-keys.ts';
import { composeHostFingerprint } from '../../../src/licensing/compose.ts';
import { sealEnvelope } from '../../../src/licensing/envelope.ts';
import type { HostFingerprint } from '../../../src/licensing/match.ts';
import { parseRequest } from '../../../src/licensing/request-texts.ts';
import { copyRelease } from '../../support/copy-release.ts';
import {
  type CliResult,
  makeFolder,
  nodeOptions,
  type RunningCli,
  startCli,
} from '../../support/run-cli.ts';

const DAY_S = 86_400;
const NOBODY = 65_534;
const passphrase = 'correct horse battery';

/** A service has a user of its own, and root could write anywhere. */
const user = process.geteuid?.() === 0 ? NOBODY : undefined;

/** Seconds since 1970, so many days from now. */
export function inDays(days: number): number {
  return Math.floor(Date.now() / 1000 + days * DAY_S);
}

export interface Operator {
  /** The operator's own folder, in which commands run. */
  readonly home: string;
  /** The release that is installed; it knows the test keys. */
  readonly release: string;
  readonly licenses: string;
  /** Where the records lie, in order. */
  readonly recordFolders: readonly [string, string, ofTheHost: string];
  /** What the host tells of its hardware, and how a licence is bound to it. */
  readonly binding: {
    readonly holder: string;
    readonly container: 'allow' | 'deny';
    readonly fp: HostFingerprint;
  };
  /** Where this host keeps what it keeps. */
  readonly environment: Readonly<Record<string, string>>;
  /** Runs the program as the operator. */
  run(...args: readonly string[]): Promise<CliResult>;
  start(...args: readonly string[]): RunningCli;
  /** As it would run with other variables. */
  under(environment: Readonly<Record<string, string>>): Pick<Operator, 'run' | 'start'>;
  /** Runs `vendor` with the keys `trial.key` and `permanent.key` of the folder. */
  vendor(...args: readonly string[]): Promise<CliResult>;
  /** A trial of 30 days for this host, unless changed; undefined takes a claim away. */
  claims(change?: Readonly<Record<string, unknown>>): Record<string, unknown>;
  /** Signs claims as the vendor and writes the licence into a folder. */
  write(claims: Readonly<Record<string, unknown>>, name: string, folder?: string): Promise<string>;
}

/** A host with an installed release that knows the test keys and lets nobody evaluate, unless `build` says. */
export async function createOperator(build: Partial<BuildFile> = {}): Promise<Operator> {
  const release = await copyRelease({ ...testBuildFile, ...build });
  const home = await makeFolder();
  if (user !== undefined) {
    await chown(home, user, user);
  }
  for (const kind of ['trial', 'permanent'] as const) {
    const { kid, publicKey, privateKey } = testKeys[kind];
    const file = await encryptKey(
      { entry: { kid, kind, publicKey }, privateKey },
      passphrase,
      MIN_COST,
    );
    await writeFile(join(home, `${kind}.key`), JSON.stringify(file));
  }
  const program = { cwd: home, main: join(release, 'src/cli/main.ts') };
  const environment = {
    NODE_OPTIONS: nodeOptions,
    HOME: home,
    XDG_STATE_HOME: join(home, 'user-state'),
    EDGE_INFER_STATE_DIR: join(home, 'state'),
  };
  function under(other: Readonly<Record<string, string>>) {
    const start = (...args: readonly string[]) =>
      startCli(args, {
        ...program,
        ...(user === undefined ? {} : { user }),
        env: { ...environment, ...other },
      });
    return { start, run: (...args: readonly string[]) => start(...args).ended };
  }
  const { start, run } = under({});

  const { stdout, stderr } = await run('license', 'request');
  const request = parseRequest(stdout);
  if (!request.ok) throw new Error(`${request.error}: ${stderr}`);
  const fp = composeHostFingerprint(request.value, { strict: false });
  if (!fp.ok) throw new Error(fp.error);
  const binding = {
    holder: request.value.holder,
    // These tests may themselves run in a container.
    container: request.value.machine === 'container' ? ('allow' as const) : ('deny' as const),
    fp: fp.value,
  };
  const licenses = join(home, 'state/licenses');
  return {
    home,
    release,
    licenses,
    recordFolders: [
      join(home, 'state'),
      join(home, 'user-state/edge-infer'),
      join(home, 'user-state/host'),
    ],
    binding,
    environment,
    run,
    start,
    under,
    vendor: (...args) =>
      startCli(['vendor', ...args], {
        ...program,
        env: { EDGE_INFER_VENDOR_PASSPHRASE: passphrase, XDG_DATA_HOME: join(home, 'vendor-data') },
      }).ended,
    claims: (change = {}) => ({
      lic_id: 'lic-of-a-test',
      customer: 'Example Works',
      product: 'edge-infer',
      deploy_name: 'imagenet',
      kind: 'trial',
      tier: 'cpu',
      iat: inDays(0),
      ...(change.kind === 'permanent' ? {} : { exp: inDays(30) }),
      ...binding,
      ...change,
    }),
    async write(claims, name, folder = home) {
      const { kid, privateKey } = testKeys[claims.kind as 'trial' | 'permanent'];
      const payload = Buffer.from(JSON.stringify(claims));
      await mkdir(folder, { recursive: true });
      const path = join(folder, name);
      const armour = writeArmour('LICENSE', sealEnvelope('LICENSE', { kid, payload }, privateKey));
      await writeFile(path, armour);
      return path;
    },
  };
}

/** Every file of a folder with its content; undefined where there is no folder. */
export async function readFolder(folder: string): Promise<Record<string, string> | undefined> {
  const names = await readdir(folder).catch(() => undefined);
  if (names === undefined) return undefined;
  const texts = names.map(async (name) => [name, await readFile(join(folder, name), 'base64')]);
  return Object.fromEntries(await Promise.all(texts)) as Record<string, string>;
}

export interface JsonStatus {
  readonly folder: string;
  readonly isRunning: boolean;
  readonly services: readonly {
    readonly deployName: string;
    readonly state: string;
    readonly class: string;
    readonly detail: string;
    readonly remedy: string;
    readonly isServed: boolean;
    readonly isUnread?: true;
    readonly daysLeft?: number;
    readonly file?: string;
    readonly match?: { score: number; need: number; of: number; components: { kind: string }[] };
    readonly others: readonly { file?: string; state: string }[];
  }[];
  readonly recordProblems: readonly { path: string; detail: string }[];
  readonly revocationProblems: readonly string[];
}

/** `license status --json`, with its exit code. */
export async function readJsonStatus({ run }: Pick<Operator, 'run'>, ...args: readonly string[]) {
  const { exitCode, stdout, stderr } = await run('license', 'status', '--json', ...args);
  if (stderr !== '') throw new Error(stderr);
  return { exitCode, status: JSON.parse(stdout) as JsonStatus };
}
