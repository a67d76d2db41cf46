import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, expect, test, vi } from 'vitest';
import { testKeys } from '../../../scripts/license-vectors/test-keys.ts';
import { writeRevocationList } from '../../../src/licensing/revocations.ts';
import { createBmp } from '../../http/support/tiny-images.ts';
import type { RunningCli } from '../../support/run-cli.ts';
import { createOperator, inDays } from './operator-fixture.ts';

const operator = await createOperator();
const { home, run, vendor, claims, write, release } = operator;
const body = JSON.stringify({ image: Buffer.from(createBmp(32, 32)).toString('base64') });

interface LogLine {
  readonly msg: string;
  readonly port?: number;
  readonly state?: string;
}

const readLog = ({ stdout }: RunningCli) =>
  stdout()
    .split('\n')
    .flatMap((line) =>
      line.startsWith('{') && line.endsWith('}') ? [JSON.parse(line) as LogLine] : [],
    );

const running = operator.start(
  ...['serve', '--port', '0', '--admin.port', '0', '--workers', '1'],
  ...['--models-dir', join(release, 'models')],
);
afterAll(async () => {
  running.process.kill('SIGTERM');
  await running.ended;
});
await running.waitForStderr('imagenet answers nobody.');
const port = readLog(running).find(({ msg }) => msg === 'listening')?.port;

async function classify(): Promise<{ error_code?: number; error_detail?: string; results?: [] }> {
  const url = `http://127.0.0.1:${port}/imagenet/ImageClassification`;
  const response = await fetch(url, { method: 'POST', body });
  return (await response.json()) as object;
}

/** Longer than two seconds is too long. */
async function reach(expected: object): Promise<void> {
  await vi.waitFor(async () => expect(await classify()).toMatchObject(expected), {
    timeout: 2_000,
    interval: 50,
  });
}

const served = { results: expect.any(Array) as unknown };
const refused = (state: string) => ({
  error_code: 337000,
  error_detail: expect.stringContaining(`license ${state}: `) as string,
});

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
  const states = readLog(running).flatMap(({ state }) => state ?? []);
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
  expect(readLog(running).map(({ msg }) => msg)).toContain('reading licences and hardware again');
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
