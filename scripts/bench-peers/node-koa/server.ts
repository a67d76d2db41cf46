/** The server that one writes first in Node: koa, sharp and onnxruntime-node, a process for each core. */
import cluster from 'node:cluster';
import { readFile } from 'node:fs/promises';
import Koa from 'koa';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import sharp from 'sharp';

const SHORT_SIDE = 256;
const CROP = 224;
const environment = process.env as Record<'PORT' | 'PROCESSES' | 'THREADS', string> &
  Record<'MODEL_FILE' | 'LABELS_FILE', string>;

async function decode(image: string): Promise<Tensor> {
  const { data, info } = await sharp(Buffer.from(image, 'base64'), { ignoreIcc: true })
    .resize(SHORT_SIDE, SHORT_SIDE, { fit: 'outside', kernel: 'cubic', fastShrinkOnLoad: false })
    .toColourspace('srgb')
    .removeAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true });
  const left = Math.round((info.width - CROP) / 2);
  const top = Math.round((info.height - CROP) / 2);
  const tensor = new Float32Array(3 * CROP * CROP);
  let at = 0;
  for (let channel = 0; channel < 3; channel++) {
    for (let y = 0; y < CROP; y++) {
      let from = ((top + y) * info.width + left) * 3 + channel;
      for (let x = 0; x < CROP; x++, from += 3) {
        tensor[at++] = ((data[from] ?? 0) - 127) / 128;
      }
    }
  }
  return new Tensor('float32', tensor, [1, 3, CROP, CROP]);
}

async function serve(): Promise<void> {
  sharp.concurrency(1);
  sharp.cache(false);
  const labels: string[] = JSON.parse(await readFile(environment.LABELS_FILE, 'utf8'));
  const session = await InferenceSession.create(environment.MODEL_FILE, {
    intraOpNumThreads: Number(environment.THREADS),
    interOpNumThreads: 1,
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const app = new Koa();
  app.use(async (context) => {
    const chunks: Buffer[] = [];
    for await (const chunk of context.req) {
      chunks.push(chunk);
    }
    const request = JSON.parse(Buffer.concat(chunks).toString());
    const { logits } = await session.run({ image: await decode(request.image) });
    const values = [...((logits as Tensor).data as Float32Array)];
    const largest = Math.max(...values);
    const powers = values.map((value) => Math.exp(value - largest));
    const sum = powers.reduce((a, b) => a + b);
    context.body = {
      log_id: Math.floor(Math.random() * Number.MAX_SAFE_INTEGER),
      results: powers
        .map((power, index) => ({ name: labels[index], score: power / sum }))
        .sort((a, b) => b.score - a.score)
        .slice(0, request.top_num),
    };
  });
  app.listen(Number(environment.PORT), '127.0.0.1');
}

if (cluster.isPrimary) {
  for (let process = 0; process < Number(environment.PROCESSES); process++) {
    cluster.fork();
  }
} else {
  await serve();
}
