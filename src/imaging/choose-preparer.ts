import type { ImagingPreference, ImagingWay } from '../core/imaging-way.ts';
import { ok, type Result } from '../core/result.ts';
import { loadNativeBindings, type NativeBindings } from '../platform/native-bindings.ts';
import { createNativePreparer } from './native-preparer.ts';
import { createPortablePreparer } from './portable-preparer.ts';
import type { PreparationOptions, Preparer } from './preparation.ts';

/** The way that images go from bytes to tensor; both give the same pixels. */
export interface ImagingChoice {
  readonly imaging: ImagingWay;
  /** Why this way: what was found, or what was missing for the other. */
  readonly imagingReason: string;
  readonly preparer: Preparer;
  /** Undefined on the portable way. */
  readonly bindings: NativeBindings | undefined;
}

/** `native` never falls back; its error is a sentence for the operator. */
export function choosePreparer(
  preference: ImagingPreference,
  options: PreparationOptions,
): Result<ImagingChoice, string> {
  const portable = (imagingReason: string): Result<ImagingChoice, never> =>
    ok({
      imaging: 'portable',
      imagingReason,
      preparer: createPortablePreparer(options),
      bindings: undefined,
    });
  if (preference === 'portable') {
    return portable('the configuration asks for the portable way');
  }
  const loaded = loadNativeBindings();
  if (!loaded.ok) {
    return preference === 'native' ? loaded : portable(loaded.error);
  }
  const bindings = loaded.value;
  return ok({
    imaging: 'native',
    imagingReason:
      bindings.kernels.length > 1
        ? `the native bindings work, with ${bindings.kernels[0]}`
        : 'the native bindings work; this processor has no AVX2, so they are slower',
    preparer: createNativePreparer(options, bindings),
    bindings,
  });
}
