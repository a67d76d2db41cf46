import { deflateSync, gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { exchange } from '../support/raw-http.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { createBmp } from './support/tiny-images.ts';

let running: TestServer;
let port: number;
beforeAll(async () => {
  running = await startTestServer({ workers: '1' });
  port = running.server.servicePort;
});
afterAll(() => running[Symbol.asyncDispose]());

async function post(body: string | Uint8Array): Promise<string> {
  const { masked, status } = await exchange(port, { body });
  expect(status).toBe(200);
  return masked;
}

const image = createBmp(20, 20).toString('base64');
const good = `{"image":"${image}","top_num":1}`;
const classified = /^\{"log_id":ID,"results":\[\{"name":"[^"]+","score":0\.\d+\}\]\}$/;

const notJson = (detail: string) =>
  `{"error_code":336002,"error_msg":"JSON不合法","log_id":ID,"error_detail":${JSON.stringify(detail)}}`;
const invalid = (detail: string) =>
  `{"error_code":336001,"error_msg":"Invalid Argument","log_id":ID,"error_detail":${JSON.stringify(detail)}}`;
const missing = (received: string) =>
  `{"error_code":336006,"error_msg":"缺失必要参数","log_id":ID,"error_detail":"image: expected base64 of a JPEG, PNG or BMP, received ${received}"}`;

describe('is classified:', () => {
  const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  test.each([
    ['white space around everything', ` \r\n\t{ "top_num" : 1 ,\n "image" :\t"${image}" }\n`],
    ['a UTF-8 BOM', `\ufeff${good}`],
    ['unknown keys', `{"threshold":0.5,"image":"${image}","url":null,"top_num":1,"":{}}`],
    ['the last of several images', `{"image":"AAAA","image":5,"top_num":1,"image":"${image}"}`],
    ['the last of several top_nums', `{"top_num":0,"image":"${image}","top_num":"x","top_num":1}`],
    ['escaped key names', `{"\\u0069mage":"${image}","top_\\u006eum":1}`],
    ['nesting 100,000 deep in an unknown key', `{"x":${deep(100_000)},${good.slice(1)}`],
    ['nesting 4 million deep in an unknown key', `{"x":${deep(4_000_000)},${good.slice(1)}`],
    ['a key named __proto__', `{"__proto__":{"image":5,"top_num":0},${good.slice(1)}`],
    ['lone surrogates in an unknown key', `{"x":"\\ud800","\\udfff":1,${good.slice(1)}`],
    ['Chinese in an unknown key', `{"备注":"图片\\u0000",${good.slice(1)}`],
    ['numbers beyond any type', `{"x":1e999,"y":-0,"z":${'9'.repeat(1000)},${good.slice(1)}`],
  ])('%s', async (_name, body) => {
    expect(await post(body)).toMatch(classified);
  });
});

describe('is not JSON:', () => {
  const at = (character: number) =>
    notJson(
      `the body is not JSON at character ${character}: expected a JSON object such as {"image":"<base64>","top_num":5}`,
    );
  const somewhere = notJson(
    'the body is not JSON: expected a JSON object such as {"image":"<base64>","top_num":5}',
  );
  const rawLineBreak = (character: number) =>
    notJson(
      `the body is not JSON: a raw line break or control character stands inside a string at character ${character}; write the base64 on one line (base64 -w0)`,
    );
  const nothing = notJson('the body: expected a JSON object, received nothing');
  const notUtf8 = notJson('the body: expected JSON in UTF-8, received bytes that are not UTF-8');
  const gzipped = notJson('the body: expected JSON, received gzip; send it uncompressed');

  test.each([
    ['an empty body', '', nothing],
    ['white space', ' \r\n', nothing],
    ['a BOM alone', '\ufeff', nothing],
    ['two BOMs', `\ufeff\ufeff${good}`, somewhere],
    ['a form', `image=${encodeURIComponent(image)}&top_num=5`, somewhere],
    ['an end too early', good.slice(0, -1), at(good.length - 1)],
    ['something after the end', `${good}x`, at(good.length)],
    ['two objects', good + good, at(good.length)],
    ['single quotes', "{'image':'AAAA'}", at(1)],
    ['a trailing comma', '{"image":"AAAA",}', at(16)],
    ['a comment', '{"image":"AAAA"/**/}', at(15)],
    ['NaN', '{"image":"AAAA","top_num":NaN}', somewhere],
    ['a number with a leading zero', '{"top_num":05}', at(12)],
    ['an unknown escape', '{"image":"\\x41"}', at(11)],
    ['a raw line feed in the image', `{"image":"${image.slice(0, 76)}\n"}`, rawLineBreak(86)],
    ['a raw carriage return in the image', '{"image":"AAAA\r\n"}', rawLineBreak(14)],
    ['a raw tab in an unknown key', '{"x":"\t"}', rawLineBreak(6)],
    ['a byte that is not UTF-8', Buffer.from(`{"x":"\xff",${good.slice(1)}`, 'latin1'), notUtf8],
    ['a surrogate in UTF-8', Buffer.from('{"x":"\xed\xa0\x80"}', 'latin1'), notUtf8],
    ['an overlong form in UTF-8', Buffer.from('{"x":"\xc0\xaf"}', 'latin1'), notUtf8],
    ['GBK', Buffer.from('{"\xb7\xd6\xc0\xe0":1}', 'latin1'), notUtf8],
    ['UTF-16 with its mark', Buffer.from(`\ufeff${good}`, 'utf16le'), notUtf8],
    ['UTF-16 without a mark', Buffer.from(good, 'utf16le'), at(1)],
    ['gzip', gzipSync(good), gzipped],
    ['deflate', deflateSync(good), notUtf8],
    ['the image itself', createBmp(20, 20), notUtf8],
    ['nesting 8 million deep without an end', '['.repeat(8_000_000), somewhere],
  ])('%s', async (_name, body, answer) => {
    expect(await post(body)).toBe(answer);
  });
});

describe('is no object:', () => {
  test.each([
    ['an array', `[${good}]`, 'an array'],
    ['null', 'null', 'null'],
    ['a string', JSON.stringify(good), 'a string'],
    ['a number', '5', 'a number'],
    ['true', 'true', 'a boolean'],
    ['nesting 100,000 deep', '['.repeat(100_000) + ']'.repeat(100_000), 'an array'],
    ['nesting 4 million deep', '['.repeat(4_000_000) + ']'.repeat(4_000_000), 'an array'],
  ])('%s', async (_name, body, type) => {
    expect(await post(body)).toBe(invalid(`the body: expected a JSON object, received ${type}`));
  });
});

describe('has no image:', () => {
  test.each([
    ['no such key', '{"Image":"AAAA","top_num":1}', 'no such field'],
    ['an image of the prototype only', '{"__proto__":{"image":"AAAA"}}', 'no such field'],
    ['null', '{"image":null}', 'null'],
    ['an empty string', '{"image":""}', 'an empty string'],
    ['white space only', '{"image":" \\t\\r\\n"}', 'an empty string'],
    ['the last of several', `{"image":"${image}","image":null}`, 'null'],
  ])('%s', async (_name, body, received) => {
    expect(await post(body)).toBe(missing(received));
  });
});

describe('has an image of the wrong type:', () => {
  test.each([
    ['5', 'a number'],
    ['false', 'a boolean'],
    ['{}', 'an object'],
    ['[]', 'an array'],
    [`["${image}"]`, 'an array'],
  ])('%s', async (value, type) => {
    const detail = `image: expected a base64 string, received ${type}`;
    expect(await post(`{"image":${value}}`)).toBe(invalid(detail));
  });
});
