/**
 * Every failure this program can report, in one place.
 *
 * `Fault` is what a caller is answered (the wire contract's codes); `OperatorError` is what the
 * person at the command line is told. Both carry a stable code to match on.
 */

interface WireError {
  /** `error_code` on the wire. */
  readonly wireCode: number;
  /** `error_msg` on the wire: the text of the contract's own table, word for word. */
  readonly wireMessage: string;
  /** HTTP status under `http.statusCodes: semantic`; `compatible` answers 200. */
  readonly semanticStatus: number;
}

export const wireErrors = {
  INTERNAL: { wireCode: 336000, wireMessage: 'Internal error', semanticStatus: 500 },
  INVALID_ARGUMENT: { wireCode: 336001, wireMessage: 'Invalid Argument', semanticStatus: 400 },
  INVALID_JSON: { wireCode: 336002, wireMessage: 'JSON不合法', semanticStatus: 400 },
  INVALID_BASE64: { wireCode: 336003, wireMessage: 'Base64解码失败', semanticStatus: 400 },
  SIZE_OUT_OF_RANGE: { wireCode: 336004, wireMessage: '输入文件大小不合法', semanticStatus: 413 },
  IMAGE_UNREADABLE: { wireCode: 336005, wireMessage: '图片解码失败', semanticStatus: 400 },
  IMAGE_MISSING: { wireCode: 336006, wireMessage: '缺失必要参数', semanticStatus: 400 },
  UNAVAILABLE: {
    wireCode: 336100,
    wireMessage: 'model temporarily unavailable',
    semanticStatus: 503,
  },
  LICENSE_REFUSED: { wireCode: 337000, wireMessage: 'Auth check failed', semanticStatus: 403 },
  NO_SUCH_API: { wireCode: 3, wireMessage: 'Unsupported openapi method', semanticStatus: 404 },
} as const satisfies Record<string, WireError>;

export type FaultCode = keyof typeof wireErrors;

/** A refused request, as plain data. `detail` says what was expected and what came. */
export interface Fault {
  readonly code: FaultCode;
  readonly detail: string;
  /** Seconds for the `Retry-After` header; only with `UNAVAILABLE`. */
  readonly retryAfterS?: number;
}

export function fault(code: FaultCode, detail: string, retryAfterS?: number): Fault {
  return retryAfterS === undefined ? { code, detail } : { code, detail, retryAfterS };
}

/** Process exit codes; 64 and up follow BSD's sysexits.h. */
export const exitCodes = {
  OK: 0,
  /** The command ran, and some of its items failed (a bad file, a bad model). */
  SOME_FAILED: 1,
  /** Everything could be compared or some of it, and something differs. */
  DIFFERENT: 2,
  USAGE: 64,
  /** A named file is not what it should be. */
  DATA: 65,
  NO_INPUT: 66,
  /** A fault of the program itself. */
  SOFTWARE: 70,
  /** The system refused something needed: a port, a folder. */
  OS: 71,
  /** No licence allows it. */
  NO_PERMISSION: 77,
  CONFIG: 78,
} as const;

export type ExitCodeName = keyof typeof exitCodes;

/** A failure told to the operator: what is wrong and what to do, never a stack trace. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly exit: ExitCodeName;

  constructor(exit: ExitCodeName, message: string, options?: ErrorOptions) {
    super(message, options);
    this.exit = exit;
  }
}
