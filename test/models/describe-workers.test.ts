import { expect, test } from 'vitest';
import { err, ok } from '../../src/core/result.ts';
import { describeChange, viewWorkers } from '../../src/inference/describe-workers.ts';
import type { WorkerDescription } from '../../src/inference/protocol.ts';

const usual: WorkerDescription = {
  device: 'cuda',
  deviceReason: 'CUDA works on this host',
  classCount: 3,
  isPrepared: false,
  imaging: 'native',
  imagingReason: 'the native bindings work',
};
const onCpu: WorkerDescription = { ...usual, device: 'cpu', deviceReason: 'no card' };
const portable: WorkerDescription = { ...usual, imaging: 'portable', imagingReason: 'no bindings' };

test('workers that found the same are described as one of them', () => {
  expect(viewWorkers([ok(usual), ok(usual)])).toEqual({
    session: usual,
    problems: [],
    failedCount: 0,
  });
});

test('the worst device and the slower imaging count, with how many have it and why', () => {
  const { session } = viewWorkers([ok(usual), ok(portable), ok(onCpu), ok(onCpu)]);
  expect(session).toEqual({
    ...onCpu,
    deviceReason: '2 of 4 workers: no card',
    imaging: 'portable',
    imagingReason: '1 of 4 workers: no bindings',
  });
});

test('of workers on the CPU the one without the prepared form says why', () => {
  const mapped = { ...onCpu, isPrepared: true };
  const { session } = viewWorkers([ok(mapped), ok({ ...onCpu, deviceReason: 'no form' })]);
  expect(session).toMatchObject({ isPrepared: false, deviceReason: '1 of 2 workers: no form' });
});

test('those that cannot load the model are counted, and each problem told once', () => {
  expect(viewWorkers([err('no file'), ok(usual), err('no file')])).toEqual({
    session: usual,
    problems: ['no file'],
    failedCount: 2,
  });
  expect(viewWorkers([]).session).toBeUndefined();
});

test('a change is told with its reason, and reasons alone are none', () => {
  expect(describeChange(usual, { ...usual, deviceReason: 'other words' })).toBeUndefined();
  expect(describeChange(usual, { ...onCpu, imaging: 'portable', imagingReason: 'gone' })).toBe(
    'the workers run otherwise than before: device cuda, weights a copy in each worker before, device cpu, weights a copy in each worker now (no card); imaging native before, portable now (gone)',
  );
});
