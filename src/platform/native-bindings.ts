import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { err, ok, type Result } from '../core/result.ts';

/** Numbers and tables of one image's resize and crop, as `imaging/native-job.ts` lays them out. */
export type NativeJob = readonly [
  fields: Int32Array,
  xStarts: Int32Array | undefined,
  xSizes: Int32Array | undefined,
  xWeights: Int32Array | undefined,
  yStarts: Int32Array | undefined,
  ySizes: Int32Array | undefined,
  yWeights: Int32Array | undefined,
  /** 256 elements a channel: what each byte becomes in the tensor. */
  tensorTable: Float32Array | Uint16Array | Uint8Array,
  target: Float32Array | Uint16Array | Uint8Array,
  /** Receives the uint8 crop `[H, W, C]` as well, when given. */
  crop: Uint8Array | undefined,
];

/**
 * The addon's functions (native-bindings/src/addon/entry-points.h). All run at once, on the calling thread, and
 * throw a `RangeError` when their arguments contradict each other: a fault of the program.
 */
export interface NativeBindings {
  readonly apiVersion: number;
  /**
   * Decodes base64 as it stands in a JSON string from `start` to `end`, escapes and white space
   * included. Returns the bytes written, or -1 for what is not standard, padded base64 or longer
   * than `target`.
   */
  decodeBase64(source: Uint8Array, start: number, end: number, target: Uint8Array): number;
  /** The twin of `findMarker` in imaging/jpeg-markers.ts. */
  findMarker(bytes: Uint8Array, from: number): number;
  /**
   * JPEG to tensor. Returns the milliseconds of decoding alone, or why it cannot be decoded; null
   * for damaged data, which versions of libjpeg mend differently: the portable way decides.
   */
  prepareJpeg(bytes: Uint8Array, ...job: NativeJob): number | string | null;
  /**
   * PNG to tensor: rows of 8 or 16 bits a sample (with a palette 8), not interlaced, in an image
   * that is not turned. `pieces` holds start and end in `bytes` of each piece of the compressed
   * rows, in order; `palette` at most 256 RGB triples. Returns the milliseconds of decoding alone;
   * null for anything but exactly the rows, undamaged: the portable way decides.
   */
  preparePng(
    bytes: Uint8Array,
    pieces: Uint32Array,
    colourType: number,
    bitDepth: number,
    palette: Uint8Array,
    ...job: NativeJob
  ): number | null;
  /** Decoded pixels `[H, W, C]` to tensor. */
  preparePixels(data: Uint8Array, ...job: NativeJob): void;
  /**
   * Sends a datagram to a unix socket, an abstract one when `address` begins with `@`, without ever
   * waiting. Returns 0, or the error's number (`os.constants.errno`).
   */
  sendDatagram(address: string, message: Uint8Array): number;
  /** Names of what this processor can do the arithmetic with, the fastest, which is used, first. */
  readonly kernels: readonly string[];
  /** Takes another of `kernels` from now on, on this thread. Only tests and benchmarks do. */
  useKernel(name: string): void;
}

/** What `addon/addon.cc` must answer; raised there and here with every change of the functions. */
const API_VERSION = 5;

const addonFile = fileURLToPath(
  new URL('../../native-bindings/build/edge-infer.node', import.meta.url),
);

/**
 * Loads the addon. The error is a sentence for the operator: what was found, what is needed, what
 * to do. Without it everything works, only slower.
 */
export function loadNativeBindings(file: string = addonFile): Result<NativeBindings, string> {
  const remedy = 'build it with "npm run build:native" (native-bindings/README.md)';
  if (!existsSync(file)) {
    return err(`the native bindings are not built: expected ${file}; ${remedy}`);
  }
  let bindings: NativeBindings;
  try {
    bindings = createRequire(import.meta.url)(file) as NativeBindings;
  } catch (error) {
    const reason = (error as Error).message.split('\n')[0] ?? '';
    return err(`the native bindings cannot be loaded: ${reason}; ${remedy}`);
  }
  if (bindings.apiVersion !== API_VERSION) {
    return err(
      `the native bindings are of another version: expected interface ${API_VERSION}, found ${bindings.apiVersion} in ${file}; ${remedy}`,
    );
  }
  return ok(bindings);
}
