import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished, test, vi } from 'vitest';
import type { Component } from '../../src/hardware/components.ts';
import { issueEvaluation } from '../../src/licensing/evaluation.ts';
import { emptyContent, MAX_RECORD_BYTES, sealContent } from '../../src/licensing/record-content.ts';
import type { RecordPlace } from '../../src/licensing/record-file.ts';
import { openRecords, type Records } from '../../src/licensing/records.ts';
import { createTrials } from '../../src/licensing/trials.ts';
import { MemoryPlace } from './memory-places.ts';
import { openFolders } from './open-folders.ts';
import { makeFolders } from './records-fixture.ts';

const builtMs = Date.UTC(2026, 10, 1);
const startMs = Date.UTC(2027, 0, 1);

function hostOf(serial: number): readonly Component[] {
  return (['product-uuid', 'root-disk', 'network-card', 'machine-id'] as const).map((kind) => ({
    kind,
    digest: serial.toString(16).padStart(64, '0'),
  }));
}

const host = hostOf(1);

function openTrials(records: Records, clocks = { nowMs: () => startMs, upMs: () => 0 }) {
  const failures: unknown[] = [];
  const onFailure = (error: unknown) => failures.push(error);
  const trials = createTrials({ records, builtMs, clocks, onFailure });
  onTestFinished(() => trials.use(new Set()));
  const judge = (components = host) => trials.judgeEvaluation(30, components);
  return {
    trials,
    failures,
    judge,
    async begin(components = host) {
      judge(components);
      await trials.beginProposed();
      return judge(components);
    },
  };
}

test('an evaluation is told before it has begun, and nothing is written by that', async () => {
  const place = new MemoryPlace();
  const { trials, judge } = openTrials(await openRecords([place]));
  expect(judge()).toMatchObject({ state: 'TRIAL', kind: 'evaluation' });
  expect(judge()).not.toHaveProperty('licenseId');
  expect(place.text).toBeUndefined();
  expect(await trials.beginProposed()).toBe(true);
  expect(judge().licenseId).toMatch(/./);
  expect(place.text).toBeDefined();
  expect(await trials.beginProposed()).toBe(false);
});

test('of 64 hosts the first goes on, and another begins none', async () => {
  const place = new MemoryPlace();
  const records = await openRecords([place]);
  const { trials, begin, judge, failures } = openTrials(records);
  const first = await begin();
  await trials.use(new Set([first.licenseId ?? '']));
  for (let serial = 2; serial <= 64; serial++) {
    expect((await begin(hostOf(serial))).state).toBe('TRIAL');
  }
  expect(judge()).toEqual(first);
  const refused = {
    state: 'NOT_FOUND',
    kind: 'evaluation',
    detail: 'the evaluation cannot begin: these records hold evaluations of 64 hosts',
  };
  expect(await begin(hostOf(65))).toEqual(refused);
  expect(await begin(hostOf(65))).toEqual(refused);
  expect((await openRecords([place])).content.evaluations).toHaveLength(64);
  expect(failures).toEqual([]);
});

test('records of 64 hosts with dozens of parts are far from the size that is read', () => {
  const parts = Array.from({ length: 16 }, (_, serial) => hostOf(serial)).flat();
  const evaluations = Array.from({ length: 64 }, () => issueEvaluation(emptyContent, parts));
  const { length } = sealContent({ ...emptyContent, evaluations });
  expect(length).toBeLessThan(MAX_RECORD_BYTES / 2);
});

test('where no place takes it none begins, and it does when one can', async () => {
  const places = [new MemoryPlace(), new MemoryPlace()];
  for (const place of places) place.isWritable = false;
  const records = await openRecords(places);
  const { begin } = openTrials(records);
  const refused = {
    state: 'NOT_FOUND',
    kind: 'evaluation',
    detail:
      'the evaluation cannot begin: no record of it could be written (memory: cannot be written; memory: cannot be written)',
  };
  expect(await begin()).toEqual(refused);
  expect(records.content).toEqual(emptyContent);
  for (const place of places.slice(1)) place.isWritable = true;
  expect(await begin()).toMatchObject({ state: 'TRIAL' });
  expect((await openRecords(places)).content.evaluations).toHaveLength(1);
});

test('one that has begun goes on from memory where nothing can be written', async () => {
  const place = new MemoryPlace();
  const { licenseId } = await openTrials(await openRecords([place])).begin();
  place.isWritable = false;
  expect(await openTrials(await openRecords([place])).begin()).toMatchObject({
    state: 'TRIAL',
    licenseId,
  });
});

test('several first starts at once begin one evaluation', async () => {
  const folders = await makeFolders();
  const starts = await Promise.all(
    Array.from({ length: 4 }, async () => openTrials(await openFolders(folders))),
  );
  for (const { judge } of starts) judge();
  await Promise.all(starts.map(({ begin }) => begin()));
  const ids = new Set(starts.map(({ judge }) => judge().licenseId));
  expect(ids.size).toBe(1);
  expect((await openFolders(folders)).content.evaluations.map(({ id }) => id)).toEqual([...ids]);
});

test('what fails while time is counted is told and ends no process', async () => {
  let fails = false;
  const clocks = {
    nowMs: () => startMs,
    upMs() {
      if (fails) throw new Error('no clock');
      return performance.now();
    },
  };
  const { trials, begin, failures } = openTrials(await openRecords([new MemoryPlace()]), clocks);
  const { licenseId = '' } = await begin();
  const use = () => trials.use(new Set([licenseId]));
  await use();
  await trials.saved();
  fails = true;
  await vi.waitFor(() => expect(failures).toEqual([new Error('no clock')]));
  await use();
  await trials.saved();
  expect(failures).toHaveLength(2);
  fails = false;
  await use();
  await trials.saved();
  await delay(500);
  expect(failures).toHaveLength(2);
});

test('a place that fails by itself is a problem of the records and of nothing else', async () => {
  const place: RecordPlace = {
    path: '/broken',
    read: () => Promise.resolve({ ok: false, error: { isMissing: true, detail: 'missing' } }),
    revise: () => Promise.reject(new Error('broken')),
  };
  const records = await openRecords([place]);
  await records.save();
  const detail = 'not written (Error: broken)';
  expect(records.problems).toEqual([{ path: '/broken', detail }]);
  await records.save();
});
