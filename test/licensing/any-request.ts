import fc from 'fast-check';
import { componentKinds } from '../../src/hardware/components.ts';
import type { LicenseRequest } from '../../src/licensing/request.ts';

const bytes = (length: number) =>
  fc
    .uint8Array({ minLength: length, maxLength: length })
    .map((some) => Buffer.from(some).toString('base64url'));

/** Requests as hosts make them: up to four of a kind, up to sixteen graphics cards. */
export const anyRequest: fc.Arbitrary<LicenseRequest> = fc
  .record({
    salt: bytes(16),
    holder: bytes(32),
    machine: fc.constantFrom<LicenseRequest['machine']>('bare-metal', 'virtual', 'container'),
    counts: fc.tuple(
      ...componentKinds.map((kind) =>
        fc.integer({ min: 0, max: kind === 'root-disk' || kind === 'network-card' ? 4 : 1 }),
      ),
    ),
    hashes: fc.array(bytes(8), { minLength: 13, maxLength: 13 }),
    gpus: fc.array(bytes(8), { maxLength: 16 }),
  })
  .map(({ counts, hashes, ...request }) => {
    const kinds = componentKinds.flatMap((kind, index) =>
      Array.from({ length: counts[index] ?? 0 }, () => kind),
    );
    const components = kinds.map((kind, index) => ({ kind, hash: hashes[index] ?? '' }));
    return { ...request, components };
  });

/** The largest there is. */
export const largestRequest: LicenseRequest = {
  salt: Buffer.alloc(16, 0xa5).toString('base64url'),
  holder: Buffer.alloc(32, 0x5a).toString('base64url'),
  machine: 'bare-metal',
  components: componentKinds.flatMap((kind, kindNumber) =>
    Array.from({ length: kind === 'root-disk' || kind === 'network-card' ? 4 : 1 }, (_, index) => ({
      kind,
      hash: Buffer.alloc(8, 16 * kindNumber + index).toString('base64url'),
    })),
  ),
  gpus: Array.from({ length: 16 }, (_, index) =>
    Buffer.alloc(8, 128 + index).toString('base64url'),
  ),
};
