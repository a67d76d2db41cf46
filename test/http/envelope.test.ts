import { describe, expect, test } from 'vitest';
import { type FaultCode, fault, wireErrors } from '../../src/core/errors.ts';
import { encodeClassName, encodeFault, encodeSuccess } from '../../src/http/envelope.ts';

const logId = 5132558772297159724n;

function encode(names: readonly string[], scores: readonly number[]): string {
  const ranking = { classIndexes: names.map((_, index) => index), scores: [...scores] };
  return encodeSuccess(logId, ranking, names.map(encodeClassName));
}

test("the contract's example comes out byte for byte", () => {
  expect(encode(['vacuum'], [0.9850209951400757])).toBe(
    '{"log_id":5132558772297159724,"results":[{"name":"vacuum","score":0.9850209951400757}]}',
  );
});

test('log_id is a bare number up to the largest signed 64-bit integer', () => {
  const largest = 2n ** 63n - 1n;
  expect(encodeSuccess(largest, { classIndexes: [], scores: [] }, [])).toBe(
    '{"log_id":9223372036854775807,"results":[]}',
  );
});

test('a score is its float32 value printed as a double', () => {
  const scores = [1, 0, 0.1, 1 / 3, 1e-7, 1e-30, 1.401298464324817e-45].map(Math.fround);
  const printed = [...encode(scores.map(String), scores).matchAll(/"score":([^}]+)/g)];
  expect(printed.map(([, text]) => text)).toEqual([
    '1',
    '0',
    '0.10000000149011612',
    '0.3333333432674408',
    '1.0000000116860974e-7',
    '1.0000000031710769e-30',
    '1.401298464324817e-45',
  ]);
});

describe('a class name', () => {
  test.each([
    ['[default]', '"[default]"'],
    ['吸尘器', '"吸尘器"'],
    ['a "quoted" \\ name\n', '"a \\"quoted\\" \\\\ name\\n"'],
    ['😀', '"😀"'],
    ['\ud800', '"\\ud800"'],
    ['', '""'],
    ['$& $1', '"$& $1"'],
    ['n02086240: Shih-Tzu', '"n02086240: Shih-Tzu"'],
    ['error_code', '"error\\u005fcode"'],
    ['my_error_codes, error_code', '"my_error\\u005fcodes, error\\u005fcode"'],
    ['error_error_code', '"error_error\\u005fcode"'],
    ['Error_Code', '"Error_Code"'],
  ])('%j', (name, encoded) => {
    expect(encodeClassName(name)).toBe(encoded);
    expect(JSON.parse(encoded)).toBe(name);
    expect(encode([name], [0.5])).not.toContain('error_code');
  });
});

test.each<[FaultCode, string]>([
  ['INTERNAL', '"error_code":336000,"error_msg":"Internal error"'],
  ['INVALID_ARGUMENT', '"error_code":336001,"error_msg":"Invalid Argument"'],
  ['INVALID_JSON', '"error_code":336002,"error_msg":"JSON不合法"'],
  ['INVALID_BASE64', '"error_code":336003,"error_msg":"Base64解码失败"'],
  ['SIZE_OUT_OF_RANGE', '"error_code":336004,"error_msg":"输入文件大小不合法"'],
  ['IMAGE_UNREADABLE', '"error_code":336005,"error_msg":"图片解码失败"'],
  ['IMAGE_MISSING', '"error_code":336006,"error_msg":"缺失必要参数"'],
  ['UNAVAILABLE', '"error_code":336100,"error_msg":"model temporarily unavailable"'],
  ['LICENSE_REFUSED', '"error_code":337000,"error_msg":"Auth check failed"'],
  ['NO_SUCH_API', '"error_code":3,"error_msg":"Unsupported openapi method"'],
])('%s has the number and the text of the contract', (code, text) => {
  const refused = fault(code, 'expected "a"');
  expect(encodeFault(logId, refused, 'code')).toBe(`{${text},"log_id":${logId}}`);
  expect(encodeFault(logId, refused, 'full')).toBe(
    `{${text},"log_id":${logId},"error_detail":"expected \\"a\\""}`,
  );
});

test('every code has a fitting HTTP status for gateways', () => {
  const statuses = Object.values(wireErrors).map(({ wireCode, semanticStatus }) => [
    wireCode,
    semanticStatus,
  ]);
  expect(Object.fromEntries(statuses)).toEqual({
    336000: 500,
    336001: 400,
    336002: 400,
    336003: 400,
    336004: 413,
    336005: 400,
    336006: 400,
    336100: 503,
    337000: 403,
    3: 404,
  });
});
