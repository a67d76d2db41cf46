import { mutate } from '../support/mutate.ts';

type Random = (below: number) => number;

/** Bodies whose image is to be found at once: as client programs write `base64`. */
export function writeUsualBodies(base64: string): Record<string, Buffer> {
  const wrap = (lineBreak: string) => base64.replaceAll(/.{76}/g, `$&${lineBreak}`);
  return toBuffers({
    compact: `{"image":"${base64}","top_num":5}`,
    'spaces after colons': `{"image": "${base64}", "top_num": 5}`,
    'top_num before it, as text': `{"top_num":"05","image":"${base64}"}`,
    'the image alone': `{"image":"${base64}"}`,
    'a byte order mark and white space': `\ufeff{\r\n\t"image" : "${base64}"\r\n}\r\n`,
    'escaped slashes': `{"image":"${base64.replaceAll('/', '\\/')}","top_num":5}`,
    'escaped padding': `{"image":"${base64.replaceAll('=', '\\u003d').replaceAll('+', '\\u002B')}"}`,
    'lines ended by line feeds': `{"image":"${wrap('\\n')}","top_num":1}`,
    'lines ended by both': `{"image":"${wrap('\\r\\n')}","top_num":1}`,
    'raw spaces': `{"image":"${wrap(' ')}","top_num":1}`,
    'Chinese in other fields': `{"备注":"图片\\u0000\\ud800","image":"${base64}","x":[{"image":"A"}]}`,
    'the last of several top_nums': `{"top_num":0,"image":"${base64}","top_num":2,"__proto__":5}`,
  });
}

/** Bodies whose image must not be taken for what stands first under its name. */
export function writeUnusualBodies(base64: string): Record<string, Buffer> {
  return toBuffers({
    'an escaped key': `{"im\\u0061ge":"${base64}","top_num":5}`,
    'the last of several images': `{"image":"AAAA","image":"${base64}","top_num":5}`,
    'the first of several images': `{"image":"${base64}","image":"AAAA"}`,
    'an image replaced by null': `{"image":"${base64}","image":null}`,
    'an image of another object': `{"options":{"image":"${base64}"},"image":"${base64.slice(0, 40)}"}`,
    'the name within another': `{"an\\"image":"AAAA","image":"${base64}"}`,
    'the name as a value': `{"${base64}":"image","image":"${base64}","top_num":7}`,
    'much beside it': `{"x":"${'y'.repeat(1100)}","image":"${base64}"}`,
  });
}

function toBuffers(texts: Record<string, string>): Record<string, Buffer> {
  return Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, Buffer.from(text)]));
}

// What mistakes and attacks on a reader of raw bytes are made of.
const INSERTIONS = [
  ...['"', '\\', '\\"', '\\\\', '\\/', '\\u002b', '\\u000a', '\\u00', '\\u0000', '\\n', '\\x'],
  ...['\n', '\r\n', '\t', '\f', '\v', '\0', '\x1f', '\x7f', ' ', '\u00a0', '\ufeff', '\u2028'],
  ...['=', '==', '====', '-', '_', '%', 'A', 'AAAA', '{', '}', '[', ']', ',', ':', '1', 'null'],
  ...['"image":', '"image":"AAAA",', ',"image":5', '"top_num":0,', ',"top_num":3', 'data:', '/**/'],
].map((text) => Buffer.from(text));
const TOP_NUMS = ['0', '-1', '1.5', '1e2', '"7"', '"x"', 'null', '[]', '007', '1e400', '""', '5 5'];
// Not UTF-8: a lone continuation, a lone start, overlong, a surrogate, beyond the last code point.
const NOT_UTF8 = ['80', 'c3', 'c0af', 'e080', 'eda080', 'f4908080', 'ff'].map((hex) =>
  Buffer.from(hex, 'hex'),
);

/** A copy with one edit of a kind that keeps more of the body's sense than damage to files does. */
function edit(body: Buffer, random: Random): Buffer {
  const at = random(body.length + 1);
  const insert = (piece: Uint8Array) =>
    Buffer.concat([body.subarray(0, at), piece, body.subarray(at)]);
  switch (random(9)) {
    case 0:
      return insert(NOT_UTF8[random(NOT_UTF8.length)] as Buffer);
    case 1: // a character as its escape, which changes nothing within a string
      return Buffer.concat([
        body.subarray(0, at),
        Buffer.from(`\\u00${(body[at] ?? 0x41).toString(16).padStart(2, '0')}`),
        body.subarray(at + 1),
      ]);
    case 2: // a whole body where a value or a key may stand
      return insert(body);
    case 3: // two pieces change places
      return Buffer.concat([body.subarray(at), body.subarray(0, at)]);
    case 4: // white space, which changes nothing between tokens
      return insert(Buffer.from(' \n\t\r'.slice(random(4))));
    case 5:
      return replaceTopNum(body, TOP_NUMS[random(TOP_NUMS.length)] as string);
    default:
      return insert(INSERTIONS[random(INSERTIONS.length)] as Buffer);
  }
}

function replaceTopNum(body: Buffer, value: string): Buffer {
  const text = body.toString('latin1');
  return Buffer.from(text.replace(/("top_num" ?: ?)("?[0-9]+"?)/, `$1${value}`), 'latin1');
}

/** A copy with one or two edits, or with damage to its bytes. */
export function mutateRequest(body: Buffer, random: Random): Buffer {
  if (random(3) === 0) {
    return Buffer.from(mutate(body, random));
  }
  let mutant = body;
  for (let edits = 1 + random(2); edits > 0; edits--) {
    mutant = edit(mutant, random);
  }
  return mutant;
}
