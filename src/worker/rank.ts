import { type Fault, fault } from '../core/errors.ts';
import { err, ok, type Result } from '../core/result.ts';
import type { Ranking } from '../inference/protocol.ts';

export type Activation = 'softmax' | 'sigmoid' | 'none';

/**
 * Turns a model's outputs (logits, or probabilities with activation `none`) for one image into
 * float32 scores, in place: double arithmetic, each result rounded to float32 once.
 * Softmax subtracts the maximum first, so that no exponential overflows.
 */
export function applyActivation(values: Float32Array, activation: Activation): void {
  if (activation === 'sigmoid') {
    for (let i = 0; i < values.length; i++) {
      values[i] = 1 / (1 + Math.exp(-(values[i] as number)));
    }
  } else if (activation === 'softmax') {
    let maximum = -Infinity;
    for (let i = 0; i < values.length; i++) {
      const value = values[i] as number;
      maximum = Math.max(value, maximum);
    }
    // Each exponential is needed twice, and recomputing it costs less than a second array.
    let sum = 0;
    for (let i = 0; i < values.length; i++) {
      sum += Math.exp((values[i] as number) - maximum);
    }
    for (let i = 0; i < values.length; i++) {
      values[i] = Math.exp((values[i] as number) - maximum) / sum;
    }
  }
}

/** Picks the best classes out of the scores of one image; made once for a number of classes. */
export type Ranker = (scores: Float32Array, topCount: number) => Result<Ranking, Fault>;

/**
 * Returns a ranker for `classCount` classes. It keeps the best `k` in a heap whose root is the
 * worst of them, so most classes cost one comparison; equal scores keep class order.
 * A score that is not finite is `INTERNAL`: the model is at fault, not the caller.
 */
export function createRanker(classCount: number): Ranker {
  const heap = new Uint32Array(classCount);

  return function rank(scores, topCount) {
    const size = Math.min(topCount, classCount);
    const isWorse = (a: number, b: number): boolean => {
      const difference = (scores[a] as number) - (scores[b] as number);
      return difference < 0 || (difference === 0 && a > b);
    };
    const siftDown = (from: number, end: number): void => {
      let parent = from;
      for (;;) {
        let child = 2 * parent + 1;
        if (child >= end) {
          return;
        }
        if (child + 1 < end && isWorse(heap[child + 1] as number, heap[child] as number)) {
          child++;
        }
        if (!isWorse(heap[child] as number, heap[parent] as number)) {
          return;
        }
        swap(heap, child, parent);
        parent = child;
      }
    };

    for (let index = 0; index < classCount; index++) {
      if (!Number.isFinite(scores[index])) {
        return err(
          fault(
            'INTERNAL',
            `the model answered a score that is not a finite number (class ${index})`,
          ),
        );
      }
      if (index < size) {
        heap[index] = index;
        if (index === size - 1) {
          for (let parent = (size >> 1) - 1; parent >= 0; parent--) {
            siftDown(parent, size);
          }
        }
      } else if (isWorse(heap[0] as number, index)) {
        heap[0] = index;
        siftDown(0, size);
      }
    }
    // Taking the worst away again and again leaves the best first.
    for (let end = size - 1; end > 0; end--) {
      swap(heap, 0, end);
      siftDown(0, end);
    }
    const classIndexes = Array.from(heap.subarray(0, size));
    return ok({ classIndexes, scores: classIndexes.map((index) => scores[index] as number) });
  };
}

function swap(array: Uint32Array, a: number, b: number): void {
  const kept = array[a] as number;
  array[a] = array[b] as number;
  array[b] = kept;
}
