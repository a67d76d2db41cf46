import { ok } from '../../src/core/result.ts';
import type { RecordPlace, RecordText } from '../../src/licensing/record-file.ts';

/** Two places in memory, for histories that no disk could follow. */
export class MemoryPlace implements RecordPlace {
  readonly path = 'memory';
  /** What lies there; undefined: nothing. */
  text: string | undefined;
  /** As a full or read-only disk: nothing can be written. */
  isWritable = true;

  read(): Promise<RecordText> {
    return Promise.resolve(this.#present());
  }

  revise: RecordPlace['revise'] = (revise) => {
    if (!this.isWritable) {
      return Promise.resolve({
        ok: false,
        error: { detail: 'cannot be written', wasTouched: false },
      });
    }
    this.text = revise(this.#present()).text;
    return Promise.resolve(ok(true));
  };

  #present(): RecordText {
    return this.text === undefined
      ? { ok: false, error: { isMissing: true, detail: 'missing' } }
      : ok(this.text);
  }
}
