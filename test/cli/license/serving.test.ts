import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testKeys } from '../../../scripts/license-vectors/test-keys.ts';
import { writeRevocationList } from '../../../src/licensing/revocations.ts';
import { createOperator, inDays } from './operator-fixture.ts';
import { refused, served, startServing } from './serving-fixture.ts';

const operator = await createOperator();
const { home, run, vendor, claims, write, release } = operator;
const { running, readLog, classify, reach } = await startServing(operator);

async function sell(kind: 'trial' | 'permanent'): Promise<string> {
  const { exitCode, stdout, stderr } = await vendor(
    ...['issue', '--request', 'host.req', '--kind', kind, '--tier', 'cpu', '--accept-weak'],
    ...['--deploy-name', 'imagenet', '--customer', 'ACME', '--container', 'allow'],
    ...['--key', `${kind}.key`, '--out', `${kind}.lic`],
  );
  expect(exitCode, stderr).toBe(0);
  return /lic-[0-9a-f]{20}/.exec(stdout)?.[0] ?? '';
}

test('from no licence over a trial and a permanent one to none, while the server runs', async () => {
  expect(await classify()).toMatchObject(refused('NOT_FOUND'));
  await run('license', 'request', '--out', 'host.req');
  await sell('trial');
  expect((await run('license', 'install', 'trial.lic')).stdout).toContain('imagenet: TRIAL');
  await reach(served);
  const licId = await sell('permanent');
  expect((await run('license', 'install', 'permanent.lic')).stdout).toContain('imagenet: VALID');
  await reach(served);
  const trial = await run('license', 'status');
  const [, trialFile = ''] = /^ {2}(lic-\w+\.lic): TRIAL, /m.exec(trial.stdout) ?? [];
  expect(await run('license', 'remove', trialFile)).toMatchObject({ exitCode: 0 });
  await delay(1_200); // the server looks once a second
  expect(await classify()).toMatchObject(served);
  const given = await run('license', 'release', licId, '--out', 'proof.txt', '--yes');
  expect(given).toMatchObject({ exitCode: 0, stderr: '' });
  await reach(refused('NOT_FOUND'));
  const states = readLog().flatMap(({ state }) => state ?? []);
  expect(states.filter((state, index) => state !== states[index - 1])).toEqual([
    'NOT_FOUND',
    'TRIAL',
    'VALID',
    'NOT_FOUND',
  ]);
});

test('SIGHUP has it read everything again, also what it does not watch', async () => {
  await write(claims({ kind: 'permanent', lic_id: 'lic-hangup' }), 'lic-hangup.lic');
  await run('license', 'install', 'lic-hangup.lic');
  await reach(served);
  const list = { issued: inDays(0), revoked: [{ lic_id: 'lic-hangup' }] };
  const file = join(release, 'license/revoked.lic');
  await writeFile(file, writeRevocationList(list, testKeys.permanent));
  await delay(1_200);
  expect(await classify()).toMatchObject(served);
  running.process.kill('SIGHUP');
  await reach(refused('REVOKED'));
  expect(readLog().map(({ msg }) => msg)).toContain(
    'reading configuration, licences and hardware again',
  );
  expect(running.process.exitCode).toBeNull();
});

test('classify asks for a licence as well', async () => {
  const image = join(release, 'models/efficientnet-lite0/golden/coffee.png');
  const { exitCode, stdout, stderr } = await run(
    ...['classify', image, '--models-dir', join(release, 'models')],
    ...['--license.dir', join(home, 'no-licences')],
  );
  expect({ exitCode, stdout }).toEqual({ exitCode: 77, stdout: '' });
  expect(stderr).toMatch(
    /^edge-infer: license NOT_FOUND: there is no licence for imagenet on this host\. Write a request with "edge-infer license request"/,
  );
});
