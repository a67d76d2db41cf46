import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createBmp } from './support/tiny-images.ts';

let running: TestServer;
let reference: string;
beforeAll(async () => {
  running = await startTestServer({ workers: '1' });
  reference = await post(`{"image":"${image}","top_num":1}`);
  expect(reference).toMatch(/^\{"log_id":ID,"results":\[\{"name":"[^"]+","score":0\.\d+\}\]\}$/);
});
afterAll(() => running[Symbol.asyncDispose]());

// Its base64 has "+", "/" and, at the end, "=".
const bmp = Buffer.concat([createBmp(20, 20), Buffer.of(0)]);
bmp.fill(Buffer.from('fbefbeffffff', 'hex'), 54, 1000);
const image = bmp.toString('base64');

async function post(body: string): Promise<string> {
  return (await exchange(running.server.servicePort, { body })).masked;
}

describe('top_num', () => {
  const countClasses = async (topNum: string) =>
    (await post(`{"image":"${image}"${topNum}}`)).split('"name":"').length - 1;

  test('is 6 when absent', async () => {
    expect(await countClasses('')).toBe(6);
  });

  test.each([
    ['1', 1],
    ['5', 5],
    ['5.0', 5],
    ['1e2', 100],
    ['50e-1', 5],
    ['"5"', 5],
    ['"05"', 5],
    ['"1000"', 1000],
    ['1000', 1000],
    ['1001', 1000],
    ['4294967297', 1000],
    ['1e400', 1000],
    ['"99999999999999999999"', 1000],
    [`"${'9'.repeat(400)}"`, 1000],
  ])('%s answers that many classes, or all there are', async (value, count) => {
    expect(await countClasses(`,"top_num":${value}`)).toBe(count);
  });

  test.each([
    ['0', '0'],
    ['-0', '0'],
    ['-1', '-1'],
    ['1.5', '1.5'],
    ['1e-400', '0'],
    ['-1e400', '-Infinity'],
    ['null', 'null'],
    ['true', 'a boolean'],
    ['[5]', 'an array'],
    ['{}', 'an object'],
    ['""', 'a string'],
    ['"0"', 'a string'],
    ['"-1"', 'a string'],
    ['"+5"', 'a string'],
    ['" 5"', 'a string'],
    ['"5 "', 'a string'],
    ['"5\\n"', 'a string'],
    ['"5.0"', 'a string'],
    ['"1e2"', 'a string'],
    ['"0x5"', 'a string'],
    ['"٥"', 'a string'],
    ['"５"', 'a string'],
    ['"five"', 'a string'],
  ])('%s is 336001', async (value, received) => {
    expect(await post(`{"image":"${image}","top_num":${value}}`)).toBe(
      `{"error_code":336001,"error_msg":"Invalid Argument","log_id":ID,"error_detail":"top_num: expected a whole number >= 1, received ${received}"}`,
    );
  });
});

describe('base64 is decoded', () => {
  const wrap = (lineEnd: string) => image.replace(/.{76}/g, `$&${lineEnd}`);
  test.each([
    ['in lines that end in \\n', wrap('\\n')],
    ['in lines that end in \\r\\n', wrap('\\r\\n')],
    ['with a line end at its end', `${image}\\n`],
    ['with spaces and tabs anywhere', ` ${image.replace(/./g, '$& \\t')}`],
    ['with white space before its padding', image.replace('=', ' =')],
    ['with every slash escaped', image.replaceAll('/', '\\/')],
    ['with \\u003d for =', image.replaceAll('=', '\\u003d')],
    ['with \\u002b for +', image.replaceAll('+', '\\u002b')],
    ['with \\u002F for /', image.replaceAll('/', '\\u002F')],
    [
      'with every character escaped',
      [...image].map((each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join(''),
    ],
    [
      'with spare bits at its end',
      image.replace(/.(?==+$)/, (last) => String.fromCharCode(last.charCodeAt(0) + 1)),
    ],
  ])('%s', async (_name, text) => {
    expect(text).not.toBe(image);
    expect(await post(`{"image":"${text}","top_num":1}`)).toBe(reference);
  });
});

describe('base64 is refused as 336003', () => {
  const stray = (character: string, position: number, hint = '') =>
    `, received the character ${character} at position ${position}${hint}`;
  const urlSafe = ' (the url-safe alphabet is not accepted)';
  const length = image.replaceAll('=', '').length;
  const notQuartets = (count: number) =>
    `, received ${count} characters, which is not a multiple of 4; the end or the padding is missing`;

  test.each([
    ['without its padding', image.replaceAll('=', ''), notQuartets(length)],
    ['a character short', image.slice(1), notQuartets(image.length - 1)],
    ['of one character', 'A', notQuartets(1)],
    ['of padding alone', '====', ', received "=" before the end'],
    ['with padding inside', 'AA==AAAA', ', received "=" before the end'],
    ['with too much padding', 'AAAA====', ', received "=" before the end'],
    ['with three of padding', 'A===', ', received "=" before the end'],
    ['with - for +', image.replace('+', '-'), stray('U+002D', image.indexOf('+'), urlSafe)],
    ['with _ for /', image.replace('/', '_'), stray('U+005F', image.indexOf('/'), urlSafe)],
    ['percent-encoded', image.replace('+', '%2B'), stray('U+0025', image.indexOf('+'))],
    ['with a form feed', 'AAAA\\fAAAA', stray('U+000C', 4)],
    ['with a form feed in place of a character', 'AAA\\f', stray('U+000C', 3)],
    ['with a no-break space', 'AAAA\u00a0', stray('U+00A0', 4)],
    ['with a BOM', '\ufeffAAAA', stray('U+FEFF', 0)],
    ['with NUL', 'AAA\\u0000', stray('U+0000', 3)],
    ['in letters of full width', 'ＡＡＡＡ', stray('U+FF21', 0)],
    ['with an emoji', 'AA😀', stray('U+1F600', 2)],
    ['with half an emoji', 'AAA\\ud83d', stray('U+D83D', 3)],
    ['in quotes', `\\"${image}\\"`, stray('U+0022', 0)],
    ['of a URL', 'http://x/y.png', stray('U+003A', 4)],
    [
      'with a data: header',
      `data:image/bmp;base64,${image}`,
      ', received a "data:" header; send only what follows its comma',
    ],
    [
      'with a data: header in capitals, after a space',
      ` DATA:image/bmp;base64,${image}`,
      ', received a "data:" header; send only what follows its comma',
    ],
  ])('%s', async (_name, text, received) => {
    const detail = `image: expected base64 with the alphabet A-Z a-z 0-9 + / and = padding${received}`;
    expect(await post(`{"image":"${text}"}`)).toBe(
      `{"error_code":336003,"error_msg":"Base64解码失败","log_id":ID,"error_detail":${JSON.stringify(detail)}}`,
    );
  });
});
