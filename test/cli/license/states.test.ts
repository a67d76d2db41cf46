import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { chmod, chown, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { strangerKey, testKeys } from '../../../scripts/license-vectors/test-keys.ts';
import { writeArmour } from '../../../src/licensing/armour.ts';
import { sealEnvelope } from '../../../src/licensing/envelope.ts';
import { createRecordFile } from '../../../src/licensing/record-file.ts';
import { openRecords } from '../../../src/licensing/records.ts';
import { findRemedy } from '../../../src/licensing/remedies.ts';
import { writeRevocationList } from '../../../src/licensing/revocations.ts';
import { type LicenseState, licenseStates } from '../../../src/licensing/states.ts';
import { createOperator, inDays, readJsonStatus } from './operator-fixture.ts';

const operator = await createOperator();
const { home, run, claims, write, binding, release, recordFolders } = operator;
const nothing = Buffer.alloc(8).toString('base64url');
const otherHost = {
  fp: { ...binding.fp, components: binding.fp.components.map((one) => ({ ...one, h: nothing })) },
};
const otherProcessor = {
  fp: {
    ...binding.fp,
    components: binding.fp.components.map((one) =>
      one.k === 'cpu-model' ? { ...one, h: nothing } : one,
    ),
  },
};
const card = { tier: 'gpu', fp: { schema: 1, salt: binding.fp.salt, gpu: nothing } };

const weightOf = (kind: string) => binding.fp.components.find(({ k }) => k === kind)?.w ?? 0;
const everything = new Map(binding.fp.components.map(({ k, w }) => [k, w])).values();
const allowsDrift =
  weightOf('cpu-model') > 0 &&
  everything.reduce((total, weight) => total + weight, 0) - weightOf('cpu-model') >=
    binding.fp.need;
const isInContainer = binding.container === 'allow';
const canMount =
  process.geteuid?.() === 0 && spawnSync('unshare', ['--mount', 'true']).status === 0;

interface Case {
  readonly state: LicenseState;
  readonly change?: Readonly<Record<string, unknown>>;
  readonly flags?: readonly string[];
  /** Makes of the folder with the licence what the case is about. */
  readonly prepare?: (folder: string) => Promise<unknown>;
  readonly detail: RegExp;
}

const permanent = { kind: 'permanent' };
const cases: readonly Case[] = [
  { state: 'VALID', change: permanent, detail: /^licence lic-of-a-test is permanent and fits/ },
  { state: 'TRIAL', detail: /^the trial ends on \d{4}-\d\d-\d\d, 30 days left$/ },
  {
    state: 'EXPIRING',
    change: { iat: inDays(-27.5), exp: inDays(2.5) },
    detail: /^the trial ends on .+, 3 days left$/,
  },
  {
    state: 'CLOCK_SUSPECT',
    change: { lic_id: 'lic-jumped', iat: inDays(-25), exp: inDays(5) },
    prepare: () => remember('lic-jumped', { markMs: inDays(-20) * 1000 }),
    detail: /^the clock jumped forward by 20 days and is believed after 24 hours more of running;/,
  },
  {
    state: 'NOT_YET_VALID',
    change: { iat: inDays(5), exp: inDays(35) },
    detail: /^the trial begins on/,
  },
  {
    state: 'EXPIRED',
    change: { iat: inDays(-40), exp: inDays(-10) },
    detail: /^the trial ended on \d{4}-\d\d-\d\d/,
  },
  {
    state: 'CLOCK_ROLLBACK',
    change: { lic_id: 'lic-put-back' },
    prepare: () => remember('lic-put-back', { markMs: inDays(9) * 1000 }),
    detail: /^the clock of this host is 9 days behind a time seen here before; at \d{4}/,
  },
  {
    state: 'HARDWARE_MISMATCH',
    change: { ...permanent, ...otherHost },
    detail: /\(matching 0 of \d+, needed \d+\)$/,
  },
  {
    state: 'GPU_MISMATCH',
    change: permanent,
    flags: ['--device', 'cuda'],
    detail: /^the licence is for the CPU and the service runs on the graphics card/,
  },
  {
    state: 'VERSION_NOT_COVERED',
    change: { ...permanent, updates_until: '2020-12-31' },
    detail: /^the licence covers releases built until 2020-12-31, this one was built on/,
  },
  {
    state: 'PRODUCT_MISMATCH',
    change: { ...permanent, deploy_name: 'other' },
    detail: /^the licence is for deploy name other, the service is imagenet$/,
  },
  {
    state: 'PRODUCT_MISMATCH',
    change: { ...permanent, product: 'edge-ocr' },
    detail: /^expected a licence for edge-infer, found edge-ocr$/,
  },
  {
    state: 'REVOKED',
    change: { ...permanent, lic_id: 'lic-withdrawn' },
    prepare: (folder) =>
      writeFile(
        join(folder, 'revoked.lic'),
        writeRevocationList(
          { issued: inDays(0), revoked: [{ lic_id: 'lic-withdrawn', reason: 'never paid' }] },
          testKeys.permanent,
        ),
      ),
    detail: /^licence lic-withdrawn was withdrawn by the vendor \(never paid\)$/,
  },
  {
    state: 'MALFORMED',
    prepare: (folder) => writeFile(join(folder, 'one.lic'), 'half of a li'),
    detail: /^line 1: expected "-----BEGIN/,
  },
  {
    state: 'MALFORMED',
    prepare: (folder) => chmod(join(folder, 'one.lic'), 0o000),
    detail: /^expected a file that this user may read, found one of user \d+ with mode 0$/,
  },
  {
    state: 'BAD_SIGNATURE',
    prepare: (folder) =>
      writeSigned(folder, { ...testKeys.trial, privateKey: strangerKey.privateKey }),
    detail: /^key trial-\w+ did not sign this content$/,
  },
  {
    state: 'UNKNOWN_KEY',
    prepare: (folder) => writeSigned(folder, strangerKey),
    detail: /permanent-[0-9a-f]{16}/,
  },
];
/** Writes down what a server would have of a trial, as it does. */
async function remember(licId: string, { markMs }: { markMs: number }): Promise<void> {
  const records = await openRecords(recordFolders.map((folder) => createRecordFile(folder)));
  records.add({ trials: { [licId]: { ranMs: 0, settledRanMs: 0, markMs } } });
  await records.save();
  expect(records.problems).toEqual([]);
}

async function writeSigned(folder: string, key: typeof strangerKey): Promise<void> {
  const payload = Buffer.from(JSON.stringify(claims()));
  const envelope = sealEnvelope('LICENSE', { kid: key.kid, payload }, key.privateKey);
  await writeFile(join(folder, 'one.lic'), writeArmour('LICENSE', envelope));
}

let folders = 0;
/** What `license status` says of a folder with one licence, to programs and to people. */
async function look({ state, change, flags = [], prepare, detail }: Case): Promise<string> {
  const folder = join(home, `licences-${folders++}`);
  const path = await write(claims(change), 'one.lic', folder);
  const { uid, gid } = await stat(home);
  await chown(path, uid, gid);
  await prepare?.(folder);
  const args = ['--license.dir', folder, ...flags];
  const [{ exitCode, status }, { exitCode: plainCode, stdout }] = await Promise.all([
    readJsonStatus(operator, ...args),
    run('license', 'status', ...args),
  ]);
  const { class: stateClass } = licenseStates[state];
  const isServed = stateClass !== 'refused';
  const [service] = status.services;
  const remedy = findRemedy(state, service?.isUnread);
  expect(service).toMatchObject({
    ...{ deployName: 'imagenet', state, class: stateClass, isServed, file: 'one.lic' },
    ...{ detail: expect.stringMatching(detail) as string, remedy },
  });
  expect([exitCode, plainCode]).toEqual(isServed ? [0, 0] : [1, 1]);
  expect(stdout).toMatch(
    new RegExp(`^imagenet: ${state}, requests are (answered|refused with 33\\d{4})\n  .+\\.\n`),
  );
  expect(stdout.includes('are answered')).toBe(isServed);
  if (remedy === '') {
    expect(stdout).not.toContain('What to do');
  } else {
    expect(stdout).toContain(`  What to do: ${remedy}\n`);
  }
  expect(stdout).toContain(`\nLicences lie in ${folder}.\n`);
  return stdout;
}

describe('license status tells of', () => {
  test.each(cases)('$state: $detail', async (one) => {
    await look(one);
  });

  test.skipIf(!allowsDrift)('hardware that changed, and which', async () => {
    const stdout = await look({
      state: 'HARDWARE_DRIFT',
      change: { ...permanent, ...otherProcessor },
      detail: /^changed since the licence was issued: cpu-model \(matching \d+ of \d+\)$/,
    });
    expect(stdout).toMatch(/ {4}cpu-model +other\n/);
    expect(stdout).toMatch(/ {4}machine-id +as licensed\n/);
    expect(stdout).toMatch(/ {2}Hardware: \d+ of \d+ match, \d+ are needed\.\n/);
  });

  test.skipIf(existsSync('/proc/driver/nvidia'))('a card that is not there', async () => {
    const stdout = await look({
      state: 'GPU_NOT_FOUND',
      change: { ...permanent, ...card },
      detail: /graphics card/,
    });
    expect(stdout).toContain('refused with 336100');
  });

  test.skipIf(!canMount || isInContainer)('a container', async () => {
    const folder = join(home, 'licences-container');
    await write(claims(permanent), 'one.lic', folder);
    const script = `mount -t tmpfs none /run; mkdir /run/systemd; echo docker >/run/systemd/container
      exec "$0" "$1" license status --license.dir ${folder}`;
    const { status, stdout } = spawnSync(
      'unshare',
      ['--mount', 'sh', '-ec', script, process.execPath, join(release, 'src/cli/main.ts')],
      { cwd: home, encoding: 'utf8' },
    );
    expect(status).toBe(1);
    expect(stdout).toMatch(/^imagenet: CONTAINER_DENIED, requests are refused with 337000\n/);
    expect(stdout).toContain('This runs in a container (docker)');
    expect(stdout).toContain(findRemedy('CONTAINER_DENIED'));
  });
});
