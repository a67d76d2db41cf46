import { join } from 'node:path';
import { expect, test } from 'vitest';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import { classifier, serveFlags, writeClassifier } from '../support/onnx-model.ts';
import { startTestServer } from '../support/server.ts';
import { classify } from './classify.ts';
import { temporaryFolder } from './temporary-folder.ts';

const image = oneColourBmp([10, 20, 30]);

/** A model that always prefers its second class, with names in English and Chinese. */
async function writeBilingual(): Promise<string> {
  const weights = [
    [0, 0, 0],
    [0, 0, 0],
  ];
  return writeClassifier(
    join(await temporaryFolder(), 'bilingual'),
    classifier({ weights, bias: [0, 5] }),
    {
      manifest: (manifest) => ({
        ...manifest,
        labels: { en: 'labels.en.json', zh: 'labels.zh.txt' },
      }),
      files: { 'labels.zh.txt': '猫\n吸尘器\n' },
    },
  );
}

test.each([
  [undefined, 'class 1'],
  ['en', 'class 1'],
  ['zh', '吸尘器'],
])('language %s names the classes', async (language, expected) => {
  await using running = await startTestServer({
    ...serveFlags({ m: await writeBilingual() }),
    ...(language === undefined ? {} : { 'services.0.language': language }),
  });
  const { results } = await classify(running.url, 'm', image, 1);
  expect(results?.[0]?.name).toBe(expected);
});

test('a language that the model has no labels in keeps the service unready, with the reason', async () => {
  await using running = await startTestServer({
    ...serveFlags({ m: await writeBilingual() }),
    'services.0.language': 'fr',
  });
  const status = running.server.services.get('m')?.status();
  expect(status?.state).toBe('failed');
  expect(status?.problems).toEqual([
    expect.stringMatching(/^language: expected one that .* has labels in \(en, zh\), found fr$/),
  ]);
});
