/** What a request's body means by the contract, written as plainly as possible. */
export type ReferenceAnswer =
  | { readonly image: Buffer; readonly topNum: number }
  | { readonly code: string };

const MAX_BASE64_CHARACTERS = 4 * 1024 * 1024;
const QUARTETS = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** Parses everything as text, field by field in the contract's order of faults. */
export function readReference(body: Uint8Array): ReferenceAnswer {
  let fields: unknown;
  try {
    fields = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return { code: 'INVALID_JSON' };
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields)) {
    return { code: 'INVALID_ARGUMENT' };
  }
  const own = new Map<string, unknown>(Object.entries(fields));
  const image = own.get('image') ?? '';
  const compact = typeof image === 'string' ? image.replaceAll(/[ \t\r\n]/g, '') : undefined;
  if (compact === '') {
    return { code: 'IMAGE_MISSING' };
  }
  const topNum = own.has('top_num') ? own.get('top_num') : 6;
  const isDigits = typeof topNum === 'string' && /^[0-9]+$/.test(topNum);
  const count = isDigits ? Number(topNum) : topNum;
  const isCount =
    typeof count === 'number' && count >= 1 && (count === Infinity || count % 1 === 0);
  if (compact === undefined || !isCount) {
    return { code: 'INVALID_ARGUMENT' };
  }
  if (compact.length > MAX_BASE64_CHARACTERS) {
    return { code: 'SIZE_OUT_OF_RANGE' };
  }
  if (!QUARTETS.test(compact)) {
    return { code: 'INVALID_BASE64' };
  }
  return { image: Buffer.from(compact, 'base64'), topNum: count };
}
