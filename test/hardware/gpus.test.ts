import { expect, test } from 'vitest';
import { digestValue } from '../../src/hardware/components.ts';
import { readRecordedHost } from '../support/recorded-host.ts';

const gpusOf = async (...host: Parameters<typeof readRecordedHost>) =>
  (await readRecordedHost(...host)).gpus;

test('cards are known by the UUIDs of the driver, in the order of their slots', async () => {
  expect(await gpusOf('gpus')).toEqual({
    state: 'present',
    digests: [
      digestValue('gpu', 'gpu-5c1e7a42-9b0d-3f68-a1c4-7e2d90b8f635'),
      digestValue('gpu', 'gpu-e80b3d17-64f2-91ac-05d9-b3c7124ea890'),
    ],
    refused: [],
  });
});

test('a masked UUID is asked of nvidia-smi, and awaited without it', async () => {
  const gpu = digestValue('gpu', 'gpu-5c1e7a42-9b0d-3f68-a1c4-7e2d90b8f635');
  expect(await gpusOf('gpu-masked')).toEqual({ state: 'present', digests: [gpu], refused: [] });
  expect(await gpusOf('gpu-masked', { programs: { 'nvidia-smi -L': '' } })).toEqual({
    state: 'pending',
    reason: 'the driver has told 0 of 1 UUIDs so far',
  });
});

test('a driver without its card, and a card without its driver, are awaited', async () => {
  expect(await gpusOf('gpu-pending')).toHaveProperty('state', 'pending');
  const unloaded = { '/proc/driver/nvidia/version': null };
  expect(await gpusOf('gpu-pending', { files: unloaded })).toEqual({
    state: 'pending',
    reason: 'there is a card of NVIDIA, whose driver is not loaded',
  });
});

test('a card that another driver holds is not awaited', async () => {
  const card = '/sys/devices/pci0000:c9/0000:c9:02.0/0000:ca:00.0';
  const facts = await gpusOf('gpu-pending', {
    files: {
      '/proc/driver/nvidia/version': null,
      [`${card}/driver`]: { link: '../../../../bus/pci/drivers/vfio-pci' },
      '/sys/bus/pci/drivers/vfio-pci/module': { link: '../../../../module/vfio_pci' },
    },
  });
  expect(facts).toEqual({ state: 'none' });
});

test('shares of a card are no cards', async () => {
  expect(await gpusOf('gpu-mig')).toEqual({
    state: 'present',
    digests: [],
    refused: ['instance of a card (MIG 1g.6gb)'],
  });
  expect(await gpusOf('gpu-vgpu')).toEqual({
    state: 'present',
    digests: [],
    refused: ['vGPU (NVIDIA A40-8Q)'],
  });
});

test('a host without a card has none', async () => {
  expect(await gpusOf('bare-metal')).toEqual({ state: 'none' });
});
