/**
 * Asks a running service about its model's golden examples: images whose answers were recorded where
 * the model was trained. The models of this release and those in /opt/edge-infer/models are known
 * here; of others nothing is said.
 */
import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';

const MODEL_FOLDERS = [join(import.meta.dirname, '../app/models'), '/opt/edge-infer/models'];

/**
 * What is wrong with the service's answers, undefined where nothing is known to be. One example a
 * call, by turns: callers wait behind it. An answer that is an error is none: the licence may refuse,
 * or too many may call.
 *
 * @param {string} address HOST:PORT for requests
 * @param {{ deployName: string, modelSha256?: string }} service as /readyz tells it
 * @param {number} turn which of the examples
 * @returns {Promise<string | undefined>}
 */
export async function findWrongAnswer(address, { deployName, modelSha256 }, turn) {
  const found = modelSha256 === undefined ? undefined : await findModel(modelSha256);
  const { scoreTolerance, examples } = found?.golden ?? { examples: [] };
  const example = examples[turn % examples.length];
  if (example === undefined) {
    return undefined;
  }
  const image = await readFile(join(found.folder, example.image), 'base64');
  const path = `/${encodeURIComponent(deployName)}/ImageClassification`;
  const answer = await post(`http://${address}${path}`, JSON.stringify({ image, top_num: 1 }));
  const [first] = answer?.results ?? [];
  const [recorded] = example.top;
  if (first === undefined) {
    return undefined;
  }
  const names = await readNames(found, recorded.name);
  // Not "greater than": a score that is no number is wrong.
  const isRight =
    names.includes(first.name) && Math.abs(first.score - recorded.score) <= scoreTolerance;
  return isRight
    ? undefined
    : `${deployName} answers wrongly: for ${example.image} expected "${recorded.name}" with ${recorded.score}, received "${first.name}" with ${first.score}`;
}

async function findModel(sha256) {
  for (const parent of MODEL_FOLDERS) {
    for (const name of await readdir(parent).catch(() => [])) {
      const folder = join(parent, name);
      const manifest = await readJson(join(folder, 'manifest.json'));
      const kinds = [manifest, ...Object.values(manifest?.variants ?? {})];
      const kind = kinds.find((one) => one && manifest.files?.[one.model] === sha256);
      if (kind !== undefined) {
        return { folder, golden: kind.golden, labels: manifest.labels };
      }
    }
  }
  return undefined;
}

/** The class's name in all languages that the model has. */
async function readNames({ folder, labels }, name) {
  const files = Object.values(labels ?? {}).map((file) => readJson(join(folder, file)));
  const lists = (await Promise.all(files)).filter(Array.isArray);
  const index = Math.max(-1, ...lists.map((list) => list.indexOf(name)));
  return [name, ...lists.flatMap((list) => list[index] ?? [])];
}

async function readJson(path) {
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch {
    return undefined; // no model's folder
  }
}

/** Undefined where no answer in JSON came. */
function post(url, body) {
  return new Promise((resolve) => {
    const sent = request(url, { method: 'POST', agent: false, timeout: 10_000 }, (response) => {
      const parts = [];
      response.on('data', (part) => parts.push(part));
      response.on('error', () => resolve(undefined));
      response.on('end', () => {
        try {
          resolve(JSON.parse(Buffer.concat(parts).toString()));
        } catch {
          resolve(undefined);
        }
      });
    });
    sent.on('timeout', () => sent.destroy());
    sent.on('error', () => resolve(undefined));
    sent.on('close', () => resolve(undefined));
    sent.end(body);
  });
}
