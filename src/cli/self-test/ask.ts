import { fault, wireErrors } from '../../core/errors.ts';
import { err, ok, type Result } from '../../core/result.ts';
import type { Ranking } from '../../inference/protocol.ts';
import { EVERY_CLASS } from '../../inference/recorded-answer.ts';
import type { ImageService } from '../../inference/service.ts';
import { requestLocally } from '../local-request.ts';

/** What came back for an image: classes and scores, or the wire's code and why. */
type Answer = Result<Ranking, { readonly code: number; readonly detail: string }>;

/** Classifies one image file's bytes. */
export type Ask = (image: Uint8Array<ArrayBuffer>) => Promise<Answer>;

const NO_WIRE_CODE = -1;

/** Asks as a caller does, with a connection of its own for each image. */
export function askByHttp(port: number, service: ImageService, timeoutMs: number): Ask {
  const path = `/${encodeURIComponent(service.deployName)}/ImageClassification`;
  return async (image) => {
    const body = JSON.stringify({ image: image.toBase64(), top_num: EVERY_CLASS });
    const answer = await requestLocally({ host: '127.0.0.1', port, path, body, timeoutMs });
    return answer.ok
      ? readAnswer(answer.value.text, service.classNames)
      : err({ code: NO_WIRE_CODE, detail: `${path}: ${answer.error}` });
  };
}

/** Asks a worker itself, where the licence refuses callers. */
export function askWorker(service: ImageService): Ask {
  return async (image) => {
    const { outcome } = await service.classifyImage(image, EVERY_CLASS);
    const { code, detail } = outcome.ok ? fault('INTERNAL', '') : outcome.error;
    return outcome.ok ? ok(outcome.value) : err({ code: wireErrors[code].wireCode, detail });
  };
}

interface WireAnswer {
  readonly error_code?: number;
  readonly error_msg?: string;
  readonly error_detail?: string;
  readonly results?: readonly { readonly name: string; readonly score: number }[];
}

/** Turns the wire's names back into classes. */
function readAnswer(text: string, classNames: readonly string[]): Answer {
  const refuse = (detail: string) => err({ code: NO_WIRE_CODE, detail });
  let answer: WireAnswer;
  try {
    answer = JSON.parse(text) as WireAnswer;
  } catch {
    return refuse('the answer is not JSON');
  }
  const { error_code: code, error_msg: message = '', error_detail: detail, results } = answer;
  if (code !== undefined) {
    return err({ code, detail: detail ?? message });
  }
  if (results?.length !== classNames.length) {
    return refuse(`expected ${classNames.length} classes, found ${results?.length ?? 'none'}`);
  }
  // Of classes with the same name the wire does not tell which is which, nor does a recording.
  const unused = Map.groupBy(classNames.keys(), (index) => classNames[index]);
  const classIndexes = results.map(({ name }) => unused.get(name)?.shift() ?? -1);
  return classIndexes.includes(-1)
    ? refuse('the answer has a class that the model does not have')
    : ok({ classIndexes, scores: results.map(({ score }) => score) });
}
