import { describe, expect, test } from 'vitest';
import { exchange } from '../support/raw-http.ts';
import { startTestServer } from '../support/server.ts';
import { createBmp } from './support/tiny-images.ts';

const image = createBmp(20, 20).toString('base64');
const requests = {
  'an image': { body: `{"image":"${image}","top_num":1}` },
  'an image from a page': {
    headers: ['Origin: http://panel.example'],
    body: `{"image":"${image}","top_num":1}`,
  },
  'a refused image': { body: '{"image":"AAAA"}' },
  'no body': { body: '' },
  'a body that is too long': { headers: ['Content-Length: 1000000000'], body: '{' },
};

/** The first path leads to its route directly, the others through Koa, as their spelling is rarer. */
const direct = '/imagenet/ImageClassification';
const throughKoa = [`${direct}/`, '/%69magenet/ImageClassification'];

describe.each(['*', 'http://panel.example', 'none'])('with http.corsOrigin %s', (corsOrigin) => {
  test('requests that go past Koa are answered byte for byte as those that go through it', async () => {
    await using running = await startTestServer({ workers: '1', 'http.cors-origin': corsOrigin });
    const answerTo = async (request: object) => {
      const { statusLine, headers, masked } = await exchange(running.server.servicePort, request);
      return { statusLine, headers: [...headers].filter(([name]) => name !== 'date'), masked };
    };
    for (const request of Object.values(requests)) {
      const expected = await answerTo({ ...request, path: `${direct}?access_token=x&aipSdk=y` });
      expect(await answerTo({ ...request, path: direct })).toEqual(expected);
      for (const path of throughKoa) {
        expect(await answerTo({ ...request, path }), path).toEqual(expected);
      }
    }
  });
});
