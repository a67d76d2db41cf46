import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testKeys } from '../../../scripts/license-vectors/test-keys.ts';
import { writeRevocationList } from '../../../src/licensing/revocations.ts';
import { createOperator, inDays, readJsonStatus } from './operator-fixture.ts';
import { refused, served, startServing } from './serving-fixture.ts';

const LOOKS_MS = 1_200;

/** An operator whose licences come from the vendor's own commands. */
async function createCustomer() {
  const operator = await createOperator();
  const { run, vendor } = operator;
  await run('license', 'request', '--out', 'host.req');
  const sold = ['--key', 'permanent.key', '--request', 'host.req', '--accept-weak'];
  async function sign(file: string, ...args: readonly string[]): Promise<string> {
    const { exitCode, stdout, stderr } = await vendor(...args, ...sold, '--out', file);
    expect(exitCode, stderr).toBe(0);
    return /lic-[0-9a-f]{20}/.exec(stdout)?.[0] ?? '';
  }
  return {
    ...operator,
    sign,
    sell: (file: string) =>
      sign(
        ...[file, 'issue', '--kind', 'permanent', '--tier', 'cpu', '--container', 'allow'],
        ...['--deploy-name', 'imagenet', '--customer', 'ACME'],
      ),
    async install(file: string): Promise<void> {
      const { exitCode, stderr } = await run('license', 'install', file);
      expect(exitCode, stderr).toBe(0);
    },
  };
}

test('a licence that the vendor withdraws is refused by the server, and no deleted list brings it back', async () => {
  const customer = await createCustomer();
  const { home, licenses, vendor, sell, install } = customer;
  const licId = await sell('sold.lic');
  await install('sold.lic');
  const server = await startServing(customer, { says: 'imagenet is ready.' });
  expect(await server.classify()).toMatchObject(served);

  const revoked = await vendor(
    ...['revoke', licId, '--reason', 'never paid', '--key', 'permanent.key', '--out', 'list.lic'],
  );
  expect(revoked.exitCode, revoked.stderr).toBe(0);
  await install('list.lic');
  const withdrawn = refused('REVOKED', `licence ${licId} was withdrawn by the vendor (never paid)`);
  await server.reach(withdrawn);
  expect(server.running.process.exitCode).toBeNull();

  await rm(join(licenses, 'revoked.lic'));
  await delay(LOOKS_MS);
  expect(await server.classify()).toMatchObject(withdrawn);
  await server.stop();
  const restarted = await startServing(customer);
  expect(await restarted.classify()).toMatchObject(withdrawn);

  // A later list without it takes the withdrawal back. Put there by hand, as it came in the mail.
  const later = { issued: inDays(0) + 60, revoked: [] };
  await writeFile(join(home, 'later.lic'), writeRevocationList(later, testKeys.permanent));
  await rename(join(home, 'later.lic'), join(licenses, 'revoked.lic'));
  await restarted.reach(served);
  await restarted.stop();
}, 180_000);

test('a licence issued anew ends the one that it replaces, and the server changes over without a gap', async () => {
  const customer = await createCustomer();
  const { licenses, sell, sign, install } = customer;
  const old = await sell('old.lic');
  await install('old.lic');
  const server = await startServing(customer, { says: 'imagenet is ready.' });
  const anew = await sign('new.lic', 'reissue', '--lost', old);
  const answers: unknown[] = [];
  const callers = (async () => {
    while (!server.readLog().some(({ licenseId }) => licenseId === anew)) {
      answers.push(await server.classify());
    }
  })();
  await install('new.lic');
  await callers;
  expect(answers.length).toBeGreaterThan(0);
  expect(answers.filter((answer) => !('results' in (answer as object)))).toEqual([]);
  const { status } = await readJsonStatus(customer, '--admin.port', server.adminPort);
  expect(status).toMatchObject({
    isRunning: true,
    services: [
      {
        state: 'VALID',
        file: `${anew}.lic`,
        others: [
          {
            file: `${old}.lic`,
            state: 'REVOKED',
            detail: `licence ${old} was replaced by ${anew}`,
          },
        ],
      },
    ],
  });
  expect(await readFile(join(licenses, `${old}.lic`), 'utf8')).not.toBe('');
  await server.stop();
}, 180_000);

test('a licence for one service ends for another what it replaces', async () => {
  const operator = await createOperator();
  const { home, claims, write, run } = operator;
  await writeFile(
    join(home, 'two.yaml'),
    JSON.stringify({
      services: ['imagenet', 'flowers'].map((deployName) => ({
        deployName,
        model: 'efficientnet-lite0',
      })),
    }),
  );
  const flags = ['--config', 'two.yaml'];
  const permanent = { kind: 'permanent' };
  await write(claims({ ...permanent, lic_id: 'lic-of-one' }), 'one.lic');
  const change = { lic_id: 'lic-of-the-other', deploy_name: 'flowers', replaces: ['lic-of-one'] };
  await write(claims({ ...permanent, ...change }), 'other.lic');
  await run('license', 'install', 'one.lic', ...flags);
  const server = await startServing(operator, { says: 'flowers answers nobody.', flags });
  expect(await server.classify()).toMatchObject(served);
  const { exitCode, stdout } = await run('license', 'install', 'other.lic', ...flags);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/\nimagenet: REVOKED\nflowers: VALID, by this licence\n/);
  await server.reach(served, 'flowers');
  await server.reach(refused('REVOKED', 'licence lic-of-one was replaced by lic-of-the-other'));
  await run('license', 'remove', 'lic-of-the-other', ...flags);
  await server.reach(served);
  await server.stop();
}, 180_000);
