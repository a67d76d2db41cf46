import { chmod, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { openFolders } from '../../licensing/open-folders.ts';
import { nodeOptions } from '../../support/run-cli.ts';
import { createOperator, readJsonStatus } from './operator-fixture.ts';
import { type Serving, served, startServing } from './serving-fixture.ts';

const clock = new URL('../../support/other-clock.js', import.meta.url).href;
/** A host whose clock shows another time. */
const at = (time: string) => ({
  NODE_OPTIONS: `${nodeOptions} --import=${clock}`,
  TEST_CLOCK_OFFSET_MS: String(Date.parse(time) - Date.now()),
});

let serving: Serving | undefined;
afterEach(() => serving?.stop());

/** The state that the server has logged last. */
const lastState = () => serving?.readLog().findLast(({ msg }) => msg === 'license')?.state;

describe('the clock of the host', () => {
  test('in 1970 and in 2099 it costs a trial nothing, and no time zone does', async () => {
    const operator = await createOperator();
    const { run, claims, write, release } = operator;
    await write(claims({ lic_id: 'lic-tried' }), 'tried.lic');
    await run('license', 'install', 'tried.lic');
    for (const [time, state] of [
      ['1970-01-01T00:00:20Z', 'CLOCK_SUSPECT'],
      ['2099-06-01T12:00:00Z', 'CLOCK_SUSPECT'],
      [new Date().toISOString(), 'TRIAL'],
    ] as const) {
      const host = operator.under(at(time));
      serving = await startServing({ ...host, release }, { says: 'imagenet is ready.' });
      expect(await serving.classify(), time).toMatchObject(served);
      expect(lastState()).toBe(state);
      await serving.stop();
      expect((await readJsonStatus(host)).status.services[0]).toMatchObject({
        state,
        isServed: true,
      });
    }
    const zones = ['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago', 'Australia/Lord_Howe'];
    const told = await Promise.all(
      zones.map(
        async (zone) => (await operator.under({ TZ: zone }).run('license', 'status')).stdout,
      ),
    );
    expect(told[0]).toMatch(/^imagenet: TRIAL, .+\n {2}The trial ends on .+, 30 days left\.\n/);
    expect(new Set(told).size).toBe(1);
  }, 180_000);
});

describe('the records of a trial', () => {
  test('that cannot be written cost a warning each, and the trial goes on', async () => {
    const operator = await createOperator();
    const { run, claims, write, recordFolders } = operator;
    await write(claims({ lic_id: 'lic-tried' }), 'tried.lic');
    await run('license', 'install', 'tried.lic');
    serving = await startServing(operator, { says: 'imagenet is ready.' });
    await serving.stop();
    const before = await readRanMs(recordFolders);
    expect(before).toBeGreaterThan(0);

    for (const folder of recordFolders) await chmod(folder, 0o555);
    serving = await startServing(operator, { says: 'imagenet is ready.' });
    expect(await serving.classify()).toMatchObject(served);
    await vi.waitFor(
      () =>
        expect(
          serving
            ?.readLog()
            .filter(({ msg }) => msg === 'the records of the licence cannot be kept here'),
        ).toMatchObject(
          recordFolders.slice(0, 2).map((folder) => ({
            path: join(folder, 'license-records'),
            detail: expect.stringContaining('EACCES') as string,
          })),
        ),
      { timeout: 5_000 },
    );
    serving.running.process.kill('SIGKILL');
    await serving.running.ended;
    for (const folder of recordFolders) {
      await chmod(folder, 0o755);
      expect(await readRanMs([folder])).toBe(before);
    }
    serving = await startServing(operator, { says: 'imagenet is ready.' });
    expect(await readRanMs(recordFolders)).toBeGreaterThan(before);
  }, 180_000);

  test('that are deleted or damaged under a running server come back with what they held', async () => {
    const operator = await createOperator({ evaluation: { enabled: true, days: 30 } });
    const { recordFolders } = operator;
    const files = recordFolders.map((folder) => join(folder, 'license-records'));
    serving = await startServing(operator, { says: 'imagenet is ready.' });
    const { evaluations } = (await openFolders(recordFolders)).content;
    expect(evaluations).toHaveLength(1);
    for (const harm of [
      () => Promise.all(files.map((file) => rm(file))),
      () => Promise.all(files.map((file) => writeFile(file, 'damaged'))),
    ]) {
      await harm();
      await vi.waitFor(
        async () => {
          for (const folder of recordFolders) {
            const { content } = await openFolders([folder]);
            expect(content.evaluations.map(({ id }) => id)).toEqual(
              evaluations.map(({ id }) => id),
            );
          }
        },
        { timeout: 30_000, interval: 200 },
      );
    }
    expect(await serving.classify()).toMatchObject(served);
    expect(await readFile(`${files[0]}.damaged`, 'utf8')).toBe('damaged');
  }, 180_000);
});

async function readRanMs(folders: readonly string[]): Promise<number> {
  return (await openFolders(folders)).content.trials['lic-tried']?.ranMs ?? 0;
}
