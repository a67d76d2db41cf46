import type { Fault } from '../../src/core/errors.ts';
import { ok, type Result } from '../../src/core/result.ts';
import { createNativePreparer } from '../../src/imaging/native-preparer.ts';
import type { Pixels } from '../../src/imaging/pixels.ts';
import { createPortablePreparer } from '../../src/imaging/portable-preparer.ts';
import type { PreparationOptions, Preparer } from '../../src/imaging/preparation.ts';
import { probeImage } from '../../src/imaging/probe.ts';
import type { TensorData } from '../../src/imaging/tensor.ts';
import { loadNativeBindings, type NativeBindings } from '../../src/platform/native-bindings.ts';

/** Every way from an image's bytes to a tensor that this machine has; all must give the same. */
export interface Way {
  /** `portable`, or `native` and one of the addon's kernels. */
  readonly name: string;
  create(options: PreparationOptions): Preparer;
}

const native = loadNativeBindings();

/** Why the native ways are missing from `ways`, if they are. */
export const nativeProblem = native.ok ? undefined : native.error;

export const ways: readonly Way[] = [
  { name: 'portable', create: createPortablePreparer },
  ...(native.ok ? native.value.kernels.map((kernel) => nativeWay(native.value, kernel)) : []),
];

function nativeWay(bindings: NativeBindings, kernel: string): Way {
  return {
    name: `native, ${kernel}`,
    create(options) {
      const preparer = createNativePreparer(options, bindings);
      return {
        // The kernel is chosen for the whole thread, so it is set before each image.
        prepare(...image) {
          bindings.useKernel(kernel);
          return preparer.prepare(...image);
        },
      };
    },
  };
}

export interface Outcome {
  readonly crop: Pixels;
  readonly tensor: TensorData;
}

const tensorTypes = { float32: Float32Array, float16: Uint16Array, uint8: Uint8Array } as const;

/** The whole way for one file, as a worker goes it. */
export async function prepareFile(
  way: Way,
  bytes: Uint8Array,
  options: PreparationOptions,
  width: number,
  height: number,
): Promise<Result<Outcome, Fault>> {
  const header = probeImage(bytes);
  if (!header.ok) return header;
  const channels = options.recipe.colour === 'grey' ? 1 : 3;
  const tensor = new tensorTypes[options.tensor.elementType](width * height * channels);
  const prepared = await way.create(options).prepare(bytes, header.value, tensor, true);
  if (!prepared.ok) return prepared;
  const { crop } = prepared.value;
  if (crop === undefined) throw new Error('the crop was asked for');
  return ok({ crop, tensor });
}
