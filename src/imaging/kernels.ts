import { readFileSync } from 'node:fs';

/** What `simd/kernels.wasm` exports. All arguments but counts are bytes. */
interface Kernels {
  readonly horizontalRgb: HorizontalKernel;
  readonly horizontalGrey: HorizontalKernel;
  vertical(
    source: number,
    sourceStride: number,
    target: number,
    targetStride: number,
    rowBytes: number,
    starts: number,
    weights: number,
    pairs: number,
    count: number,
  ): void;
  readonly spread1: SpreadKernel;
  readonly spread2: SpreadKernel;
  readonly spread4: SpreadKernel;
}

type HorizontalKernel = (
  source: number,
  sourceStride: number,
  target: number,
  targetStride: number,
  rows: number,
  starts: number,
  weights: number,
  pairs: number,
  count: number,
) => void;

type SpreadKernel = (
  source: number,
  sourceStep: number,
  table: number,
  target: number,
  targetStep: number,
  count: number,
) => void;

interface Memory {
  readonly buffer: ArrayBuffer;
  grow(pages: number): number;
}

// The part used here of what every runtime has, and the types of ECMAScript alone have not.
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object) => { readonly exports: unknown };
};

const PAGE_BYTES = 65_536;

/** One thread's kernels and the memory they work on, which holds nothing from one use to the next. */
export interface Workbench {
  readonly kernels: Kernels;
  /** The memory, at least `byteLength` bytes of it; good until the next call. It never shrinks. */
  memory(byteLength: number): Uint8Array;
}

let workbench: Workbench | undefined;

/** Loads the kernels when it is first called in a thread, which takes about a millisecond. */
export function openWorkbench(): Workbench {
  workbench ??= createWorkbench();
  return workbench;
}

function createWorkbench(): Workbench {
  const file = readFileSync(new URL('simd/kernels.wasm', import.meta.url));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(file));
  const kernels = exports as Kernels & { readonly memory: Memory };
  let bytes = new Uint8Array(kernels.memory.buffer);
  return {
    kernels,
    memory(byteLength) {
      if (byteLength > bytes.length) {
        kernels.memory.grow(Math.ceil((byteLength - bytes.length) / PAGE_BYTES));
        bytes = new Uint8Array(kernels.memory.buffer);
      }
      return bytes;
    },
  };
}
