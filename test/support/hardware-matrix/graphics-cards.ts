import { change, type Host, take } from './changes.ts';
import { type Expected, type MatrixRow, row } from './row.ts';

const CARD_A = 'gpus';
const withoutCard: Host = [
  'gpus',
  { files: change('gpus', /nvidia\/gpus\/|pci\/devices/, () => null) },
];

/** A licence for the first of two cards. */
function gpuRow(
  event: string,
  checkedOn: Host,
  expected: Expected,
  score: string,
  container?: 'allow',
): MatrixRow {
  return { ...row(`GPU: ${event}`, CARD_A, checkedOn, expected, score, container), tier: 'gpu' };
}

/** Licences for a graphics card. */
export const graphicsCardRows: readonly MatrixRow[] = [
  gpuRow('nothing changed', CARD_A, 'passes', '1 of 1, needs 1'),
  gpuRow(
    'card in another host',
    ['bare-metal-twin', { files: take('gpus', /nvidia|pci\/devices|0000:c9:02/) }],
    'passes',
    '1 of 1, needs 1',
  ),
  gpuRow('UUID masked until the card is used', 'gpu-masked', 'passes', '1 of 1, needs 1'),
  gpuRow(
    'another card',
    [
      'gpus',
      {
        files: change('gpus', /information$/, (text) =>
          text.replace(/UUID: \t GPU-\w{4}/, 'UUID: \t GPU-0000'),
        ),
      },
    ],
    'GPU_MISMATCH',
    '0 of 1, needs 1',
  ),
  gpuRow('driver loaded, card not there yet', 'gpu-pending', 'GPU_NOT_FOUND', '0 of 1, needs 1'),
  gpuRow(
    'the licensed one of two cards not there yet',
    [
      'gpus',
      {
        files: change('gpus', /0000:ca:00.0\/information$/, (text) =>
          text.replaceAll(/GPU-[\w-]+/g, 'GPU-????????-????-????-????-????????????'),
        ),
      },
    ],
    'GPU_NOT_FOUND',
    '0 of 1, needs 1',
  ),
  gpuRow('card taken out', withoutCard, 'GPU_NOT_FOUND', '0 of 1, needs 1'),
  gpuRow('host without a card', 'bare-metal', 'GPU_NOT_FOUND', '0 of 1, needs 1'),
  gpuRow('MIG instance', 'gpu-mig', 'GPU_MISMATCH', '0 of 1, needs 1', 'allow'),
  gpuRow('vGPU', 'gpu-vgpu', 'GPU_MISMATCH', '0 of 1, needs 1'),
  gpuRow(
    'card in a container',
    ['container', { files: take('gpus', /nvidia/) }],
    'CONTAINER_DENIED',
    '1 of 1, needs 1',
  ),
  gpuRow(
    'the same, containers allowed',
    ['container', { files: take('gpus', /nvidia/) }],
    'passes',
    '1 of 1, needs 1',
    'allow',
  ),
];
