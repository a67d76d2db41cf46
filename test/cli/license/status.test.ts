import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createOperator, readJsonStatus } from './operator-fixture.ts';

const operator = await createOperator();
const { home, run, claims, write, binding, release } = operator;
const nothing = Buffer.alloc(8).toString('base64url');
const otherHost = {
  fp: { ...binding.fp, components: binding.fp.components.map((one) => ({ ...one, h: nothing })) },
};
const permanent = { kind: 'permanent' };

test('no licence at all is told with the folder and the way to one', async () => {
  const { exitCode, stdout } = await run('license', 'status');
  expect(exitCode).toBe(1);
  expect(stdout).toMatch(/^imagenet: NOT_FOUND, requests are refused with 337000\n/);
  expect(stdout).toContain('Write a request with "edge-infer license request"');
  expect(stdout).toContain(`Licences lie in ${operator.licenses}.\n`);
});

test('an evaluation is told as one, and a licence takes its place', async () => {
  const evaluating = await createOperator({ evaluation: { enabled: true, days: 30 } });
  const first = await evaluating.run('license', 'status');
  expect(first.exitCode).toBe(0);
  expect(first.stdout).toMatch(
    /^imagenet: TRIAL, requests are answered\n {2}Evaluation: the trial ends on .+, 30 days left\.\n/,
  );
  const { licenses } = evaluating;
  await evaluating.write(evaluating.claims(permanent), 'a.lic', licenses);
  const then = await evaluating.run('license', 'status');
  expect(then.exitCode).toBe(0);
  expect(then.stdout).toMatch(/^imagenet: VALID, /);
});

test('the best of several counts, and the others are listed', async () => {
  const folder = join(home, 'several');
  await write(claims({ lic_id: 'lic-trial' }), 'a.lic', folder);
  await write(claims({ ...permanent, lic_id: 'lic-permanent' }), 'b.lic', folder);
  await write(claims({ ...permanent, lic_id: 'lic-other', ...otherHost }), 'c.lic', folder);
  await writeFile(join(folder, 'd.lic'), 'something');
  const args = ['--license.dir', folder];
  const { exitCode, status } = await readJsonStatus(operator, ...args);
  expect(exitCode).toBe(0);
  expect(status.services[0]).toMatchObject({ state: 'VALID', file: 'b.lic' });
  expect(status.services[0]?.others.map(({ file, state }) => `${file} ${state}`).sort()).toEqual([
    'a.lic TRIAL',
    'c.lic HARDWARE_MISMATCH',
    'd.lic MALFORMED',
  ]);
  const { stdout } = await run('license', 'status', ...args);
  expect(stdout).toMatch(/\n {2}a\.lic: TRIAL, the trial ends on .+\n/);
  expect(stdout).toMatch(/\n {2}c\.lic: HARDWARE_MISMATCH, .+\n/);
  expect(stdout).toMatch(/\n {2}d\.lic: MALFORMED, .+\n/);
  expect(stdout).not.toMatch(/\n {2}b\.lic/);
});

test('each service is told apart, and one that is refused is enough for exit code 1', async () => {
  const folder = join(home, 'two-services');
  await write(claims(permanent), 'a.lic', folder);
  await writeFile(
    join(home, 'two.yaml'),
    JSON.stringify({
      services: ['imagenet', '质检'].map((deployName) => ({
        deployName,
        model: 'efficientnet-lite0',
      })),
      modelsDir: join(release, 'models'),
    }),
  );
  const { exitCode, status } = await readJsonStatus(
    operator,
    '--config',
    'two.yaml',
    '--license.dir',
    folder,
  );
  expect(exitCode).toBe(1);
  expect(status.services.map(({ deployName, state }) => [deployName, state])).toEqual([
    ['imagenet', 'VALID'],
    ['质检', 'PRODUCT_MISMATCH'],
  ]);
});

test('records that are damaged and lists that do not count are told', async () => {
  const folder = join(home, 'with-list');
  const records = join(home, 'damaged-records');
  await write(claims(permanent), 'a.lic', folder);
  await writeFile(join(folder, 'revoked.lic'), 'no list');
  await mkdir(records);
  await writeFile(join(records, 'license-records'), 'damaged');
  const args = ['--license.dir', folder, '--license.records-dir', records];
  const { exitCode, status } = await readJsonStatus(operator, ...args);
  expect(exitCode).toBe(0);
  expect(status.recordProblems).toMatchObject([{ path: join(records, 'license-records') }]);
  expect(status.revocationProblems).toMatchObject([
    expect.stringContaining(join(folder, 'revoked.lic')),
  ]);
  const { stdout } = await run('license', 'status', ...args);
  expect(stdout).toMatch(/The records at .+damaged-records\/license-records cannot be kept: .+\n/);
  expect(stdout).toMatch(
    /A list of withdrawn licences does not count: .+revoked\.lic: line 1: expected .+\n/,
  );
});

test('looking writes nothing', async () => {
  const state = join(home, 'untouched');
  await run(
    ...['license', 'status', '--state-dir', state, '--license.records-dir', join(state, 'second')],
  );
  expect(existsSync(state)).toBe(false);
});
