import { appendFile, cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { decodeImage } from '../../src/imaging/decode.ts';
import type { Pixels } from '../../src/imaging/pixels.ts';
import { probeImage } from '../../src/imaging/probe.ts';
import { makeFolder, runCli } from '../support/run-cli.ts';
import { packageRoot } from '../support/server.ts';

/** A tiny model and what training answered with it, written by scripts/export-reference. */
const fixtures = join(packageRoot, 'test/fixtures/verify');
const tiny = join(fixtures, 'model');
const reference = join(fixtures, 'reference.jsonl');
const photos = join(fixtures, 'photos');
const defaultModel = join(packageRoot, 'models/efficientnet-lite0');

const work = await makeFolder();
const own = ['--state-dir', join(work, 'state'), '--workers', '1'];
const wrongTiny = await copyWithBilinear(tiny, 'tiny');
const wrongDefault = await copyWithBilinear(defaultModel, 'default');

/** A model whose manifest says bilinear where training was bicubic. */
async function copyWithBilinear(model: string, name: string): Promise<string> {
  const folder = join(work, name);
  await cp(model, folder, { recursive: true });
  const file = join(folder, 'manifest.json');
  const manifest = await readFile(file, 'utf8');
  await writeFile(file, manifest.replace('"bicubic"', '"bilinear"'));
  return folder;
}

function verify(...args: readonly string[]) {
  return runCli(['verify', ...args, ...own], { cwd: work });
}

/** The lines of the fixture's reference, to write others from. */
const lines = (await readFile(reference, 'utf8')).trimEnd().split('\n');

async function writeReference(name: string, content: readonly string[]): Promise<string> {
  const file = join(work, name);
  await writeFile(file, `${content.join('\n')}\n`);
  return file;
}

function parseLines(stdout: string): Record<string, unknown>[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

async function readPng(file: string): Promise<Pixels> {
  const bytes = await readFile(file);
  const header = probeImage(bytes);
  const pixels = header.ok
    ? await decodeImage(bytes, header.value, { colour: 'rgb', exifOrientation: 'ignore' })
    : header;
  if (!pixels.ok) {
    throw new Error(pixels.error.detail);
  }
  return pixels.value;
}

describe('verify, of golden examples,', () => {
  test('prints crop, difference and class of each, and that all agree', async () => {
    const { exitCode, stdout, stderr } = await verify();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toMatch(
      /^efficientnet-lite0 1 \(float32 on cpu, \w+ imaging\) against its 5 golden examples\n\nIMAGE/,
    );
    expect(stdout).toMatch(/\ngolden\/coffee\.png +equal +\S+ +espresso\n/);
    expect(stdout).toContain('\n5 of 5 images agree, 0 differ\ncrops: 5 of 5 equal\n');
    expect(stdout).toContain('first class: 5 of 5 the same\n');
  });

  test('shows a flipped class with both scores, and ends with 2', async () => {
    const { exitCode, stdout } = await verify(wrongDefault);
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(/\ngolden\/astronaut\.png +differs +0\.039 +bobsleigh FLIPPED\n/);
    expect(stdout).toContain('\n    football helmet: recorded 0.1628, here 0.1239\n');
    expect(stdout).toContain('\n    bobsleigh: recorded 0.1101, here 0.1312\n');
    expect(stdout).toMatch(/\ngolden\/camera\.png +differs +0\.0077 +tripod\n/);
    expect(stdout).toContain('\n0 of 5 images agree, 5 differ\ncrops: 0 of 5 equal\n');
    expect(stdout).toContain('first class: 4 of 5 the same\n');
    expect(stdout).toMatch(/\("missile", golden\/rocket\.jpg\); up to 0\.0001 is accepted\n/);
  });

  test('says so when there are none', async () => {
    const folder = join(work, 'none');
    await cp(tiny, folder, { recursive: true });
    const manifest = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8')) as {
      golden: { examples: unknown[] };
    };
    manifest.golden.examples = [];
    await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
    const { exitCode, stdout, stderr } = await verify(folder);
    expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: '' });
    expect(stderr).toMatch(/^edge-infer: tiny has no golden examples, .+--reference\n$/);
  });
});

describe('verify --reference', () => {
  test('finds that the exported model answers as training did', async () => {
    const { exitCode, stdout } = await verify(tiny, '--reference', reference, '--images', photos);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /^tiny 1 \(float32 on cpu, \w+ imaging\) against \S+reference\.jsonl \(4 images\)\n/,
    );
    expect(stdout).toMatch(/\nrecorded with Pillow: .+; scored by onnxruntime; python .+\n/);
    expect(stdout).toMatch(/\n\n4 of 4 images agree, 0 differ\ncrops: 4 of 4 equal\n/);
  });

  test('prints JSON: an object an image, then the totals', async () => {
    const { exitCode, stdout } = await verify(
      ...[wrongTiny, '--reference', reference, '--images', photos, '--json'],
    );
    expect(exitCode).toBe(2);
    const objects = parseLines(stdout);
    expect(objects.map(({ image }) => image)).toEqual([
      'bmp-24-101x53.bmp',
      'jpeg-300x200.jpg',
      'jpeg-exif-6.jpg',
      'png-128x97.png',
      undefined,
    ]);
    expect(objects[0]).toMatchObject({
      agrees: false,
      isCropEqual: false,
      isSameClass: expect.any(Boolean),
      cropSha256: { recorded: expect.stringMatching(/^[0-9a-f]{64}$/) },
      recordedFirst: { name: 'class 3', recorded: expect.any(Number), here: expect.any(Number) },
      largestDifference: expect.any(Number),
    });
    expect(objects[4]).toMatchObject({
      summary: {
        model: { name: 'tiny' },
        variant: 'float32',
        device: 'cpu',
        agree: 0,
        differ: 4,
        cropsDiffer: 4,
      },
    });
  });

  test('takes a larger tolerance', async () => {
    const [header = '', line = ''] = lines;
    const image = JSON.parse(line) as { top: { score: number }[]; cropSha256?: string };
    image.top = image.top.map((each) => ({ ...each, score: each.score + 0.01 }));
    const file = await writeReference('shifted.jsonl', [header, JSON.stringify(image)]);
    const named = [tiny, '--reference', file, '--images', photos];
    expect(await verify(...named)).toMatchObject({ exitCode: 2 });
    expect(await verify(...named, '--tolerance', '0.02')).toMatchObject({ exitCode: 0 });
  });

  test('reports missing, changed and unreadable images one by one and goes on', async () => {
    const damaged = join(work, 'damaged');
    await cp(photos, damaged, { recursive: true });
    await rm(join(damaged, 'bmp-24-101x53.bmp'));
    await appendFile(join(damaged, 'jpeg-300x200.jpg'), 'x');
    const { exitCode, stdout } = await verify(
      ...[tiny, '--reference', reference, '--images', damaged],
    );
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(/\nbmp-24-101x53\.bmp +- +- +error ENOENT: .+ found nothing there\n/);
    expect(stdout).toMatch(/\njpeg-300x200\.jpg +- +- +error CHANGED: expected SHA-256 [0-9a-f]+/);
    expect(stdout).toContain('\n2 of 4 images agree, 0 differ, 2 could not be compared\n');
  });

  test('refuses a reference of another model, unless that is meant', async () => {
    const [header = '', ...images] = lines;
    const other = header.replace(/"sha256": "[0-9a-f]{64}"/, `"sha256": "${'0'.repeat(64)}"`);
    const file = await writeReference('other.jsonl', [other, ...images]);
    const named = [tiny, '--reference', file, '--images', photos];
    const refused = await verify(...named);
    expect(refused).toMatchObject({ exitCode: 65, stdout: '' });
    expect(refused.stderr).toMatch(/made for another model: its model\.onnx has SHA-256 0{64}/);
    const allowed = await verify(...named, '--allow-other-model');
    expect(allowed.exitCode).toBe(0);
    expect(allowed.stderr).toContain('made for another model');
  });

  test('names every wrong line by its number before it starts', async () => {
    const [header = '', first = '', second = ''] = lines;
    const file = await writeReference('wrong.jsonl', [
      header,
      first,
      '{"image": "a.jpg", "sha256": "12", "top": []}',
      '',
      second.slice(0, 40),
      second.replace('jpeg-300x200.jpg', '../up.jpg').replace('"score"', '"scor"'),
    ]);
    const { exitCode, stdout, stderr } = await verify(tiny, '--reference', file);
    expect({ exitCode, stdout }).toEqual({ exitCode: 65, stdout: '' });
    const [title, ...problems] = stderr.trimEnd().split('\n');
    expect(title).toMatch(/^edge-infer: \S+wrong\.jsonl is not a reference as scripts\//);
    expect(problems.map((problem) => problem.replace(/^ {2}\S+wrong\.jsonl:/, ''))).toEqual([
      '3: sha256: expected a SHA-256 as 64 lower-case hex digits, found "12"',
      '3: top: expected at least 1 entry, found an empty list',
      expect.stringMatching(/^5: expected a JSON object in UTF-8, found: .+/),
      '6: image: expected a path inside the folder of images, found "../up.jpg"',
      '6: top[0].score: expected a number, found nothing',
    ]);
  });

  test('says what it found in place of a reference', async () => {
    const photo = await verify(tiny, '--reference', join(photos, 'jpeg-exif-6.jpg'));
    expect(photo.exitCode).toBe(65);
    expect(photo.stderr).toMatch(/jpeg-exif-6\.jpg:1: expected a JSON object in UTF-8, found/);
    const empty = await verify(tiny, '--reference', await writeReference('empty.jsonl', []));
    expect(empty).toMatchObject({ exitCode: 65 });
    expect(empty.stderr).toContain('found an empty file');
    const folder = await verify(tiny, '--reference', photos);
    expect(folder).toMatchObject({ exitCode: 65 });
    const none = await verify(tiny, '--reference', join(work, 'none.jsonl'));
    expect(none).toMatchObject({ exitCode: 66 });
    expect(none.stderr).toContain('found nothing there');
    const images = await verify(tiny, '--reference', reference, '--images', join(work, 'nowhere'));
    expect(images).toMatchObject({ exitCode: 66 });
    expect(images.stderr).toContain('--images');
  });
});

test.each([
  [['--images', 'x'], '--images concerns a reference; name one with --reference'],
  [['--allow-other-model'], '--allow-other-model concerns a reference'],
  [['--picture', 'x.png'], '--picture concerns an image; name one with --explain'],
  [['--tolerance', 'none'], 'Expected a number from 0 to 1, found "none"'],
])('refuses %j, which would do nothing', async (args, message) => {
  const { exitCode, stdout, stderr } = await verify(...args);
  expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
  expect(stderr).toContain(message);
});

const half = [127.5, 127.5, 127.5];

/** What the tiny model answers with some keys of its manifest otherwise; arguments for `verify`. */
async function writeTrainedReference(
  keys: Readonly<Record<string, unknown>>,
  keepsCrop = true,
): Promise<string[]> {
  const image = 'jpeg-300x200.jpg';
  const folder = await makeFolder();
  await cp(tiny, folder, { recursive: true });
  const manifest = JSON.parse(await readFile(join(tiny, 'manifest.json'), 'utf8'));
  manifest.golden.examples = [];
  for (const [path, value] of Object.entries(keys)) {
    const [parent = '', key = ''] = path.split('.');
    manifest[parent][key] = value;
  }
  await writeFile(join(folder, 'manifest.json'), JSON.stringify(manifest));
  const args = ['classify', '--model', folder, '--json', join(photos, image), ...own];
  const [answer] = parseLines((await runCli(args, { cwd: work })).stdout);
  const [header = '', ...recorded] = lines;
  const line = JSON.parse(recorded.find((text) => text.includes(image)) ?? '');
  const top = answer?.results;
  const { cropSha256, ...rest } = line;
  const written = { ...rest, top, ...(keepsCrop && { cropSha256 }) };
  const bare = header.replace(/, "crops": "crops"/, '');
  const file = await writeReference('trained.jsonl', [bare, JSON.stringify(written)]);
  return ['--reference', file, '--images', photos, '--explain', image];
}

describe('verify --explain', () => {
  test('names the cause from the recorded hash alone and draws both crops', async () => {
    const { exitCode, stdout } = await verify(wrongDefault, '--explain', 'golden/astronaut.png');
    expect(exitCode).toBe(2);
    expect(stdout).toMatch(
      /\nTheir crop is exactly what this manifest would give with bicubic in place of bilinear\.\n/,
    );
    expect(stdout).toContain('the manifest should say preprocessing.interpolation "bicubic".\n');
    const picture = await readPng(join(work, 'explain-astronaut.png'));
    expect(picture.width).toBe(24 + 3 * (448 + 24));
  });

  test('shows their crop, ours and the difference between them', async () => {
    const image = 'jpeg-300x200.jpg';
    const { exitCode, stdout } = await verify(
      ...[wrongTiny, '--reference', reference, '--images', photos, '--json'],
      ...['--explain', join(photos, image), '--picture', 'why.png'],
    );
    expect(exitCode).toBe(2);
    expect(parseLines(stdout)).toMatchObject([
      {
        image,
        explanation: {
          manifest: [{ 'preprocessing.interpolation': 'bicubic' }],
          difference: { pixels: 576 },
          picture: 'why.png',
        },
      },
    ]);
    const picture = await readPng(join(work, 'why.png'));
    const theirs = await readPng(join(fixtures, 'crops', `${image}.png`));
    const factor = 18;
    const side = theirs.width * factor;
    const top = findPanelTop(picture, 24, side);
    const pixelAt = (panel: number, x: number, y: number) => {
      const column = 24 + panel * (side + 24) + x * factor;
      const at = ((top + y * factor) * picture.width + column) * 3;
      return [...picture.data.subarray(at, at + 3)];
    };
    let brightest = 0;
    for (let y = 0; y < theirs.height; y++) {
      for (let x = 0; x < theirs.width; x++) {
        const at = (y * theirs.width + x) * 3;
        expect(pixelAt(0, x, y)).toEqual([...theirs.data.subarray(at, at + 3)]);
        const ours = pixelAt(1, x, y);
        const difference = pixelAt(0, x, y).map((level, i) => Math.abs(level - (ours[i] ?? 0)));
        const drawn = pixelAt(2, x, y);
        expect(drawn.map((level) => level > 0)).toEqual(difference.map((level) => level > 0));
        brightest = Math.max(brightest, ...drawn);
      }
    }
    expect(brightest).toBeGreaterThan(127);
  });

  test('tells that preprocessing is right where the crops are equal', async () => {
    const { exitCode, stdout } = await verify(
      ...[tiny, '--reference', reference, '--images', photos, '--explain', 'png-128x97.png'],
    );
    expect(exitCode).toBe(0);
    expect(stdout).toContain('The crops are equal to the last bit.\n');
  });

  test.each([
    [
      "ImageNet's mean and standard deviation",
      {
        'preprocessing.normalise': {
          divideBy: 255,
          mean: [0.485, 0.456, 0.406],
          std: [0.229, 0.224, 0.225],
        },
      },
    ],
    ['levels from -1 to 1', { 'preprocessing.normalise': { mean: half, std: half } }],
    ['the channels in the order BGR', { 'input.colour': 'bgr' }],
    [
      "CLIP's mean and standard deviation, in the order BGR",
      {
        'preprocessing.normalise': {
          divideBy: 255,
          mean: [0.40821073, 0.4578275, 0.48145466],
          std: [0.27577711, 0.26130258, 0.26862954],
        },
        'input.colour': 'bgr',
      },
    ],
    ['sigmoid as activation', { 'output.activation': 'sigmoid' }],
  ])('finds what training did otherwise after the crop: %s', async (words, keys) => {
    const trained = await writeTrainedReference(keys);
    const { exitCode, stdout } = await verify(tiny, ...trained);
    expect(exitCode).toBe(2);
    expect(stdout).toContain('The crops are equal to the last bit.\n');
    expect(stdout).toContain(`\nThe scores are those recorded with ${words}.\n`);
    const [told] = parseLines((await verify(tiny, ...trained, '--json')).stdout);
    expect(told).toMatchObject({ explanation: { manifest: [keys] } });
  });

  test('finds it beside another crop, and without any', async () => {
    const keys = { 'input.colour': 'bgr' };
    const beside = await verify(wrongTiny, ...(await writeTrainedReference(keys)), '--json');
    expect(parseLines(beside.stdout)).toMatchObject([
      { explanation: { manifest: [{ 'preprocessing.interpolation': 'bicubic', ...keys }] } },
    ]);
    const crop = await verify(wrongTiny, ...(await writeTrainedReference({})));
    expect(crop.stdout).toContain('\nWith their crop the scores are those recorded.\n');
    const without = await verify(tiny, ...(await writeTrainedReference(keys, false)));
    expect(without.stdout).toMatch(/Nothing was recorded of the crop .+\nThe scores are those rec/);
  });

  test('says that nothing which was tried gives the scores', async () => {
    const normalise = { mean: [10, 20, 30], std: [200, 210, 220] };
    const trained = await writeTrainedReference({ 'preprocessing.normalise': normalise });
    const { stdout } = await verify(tiny, ...trained);
    expect(stdout).toMatch(/\nNo other way to normalise, .+ gives the recorded scores\. Nearest/);
    expect(stdout).not.toContain('the manifest should say');
  });

  test('says what to do when the pixels of their crop are not at hand', async () => {
    const [header = '', line = ''] = lines;
    const [known, unknown] = [JSON.parse(line), JSON.parse(line)] as Record<string, unknown>[];
    delete known?.cropSha256;
    const bare = header.replace(/, "crops": "crops"/, '');
    const none = await writeReference('bare.jsonl', [bare, JSON.stringify(known)]);
    const hashed = await writeReference('hashed.jsonl', [
      bare,
      JSON.stringify({ ...unknown, cropSha256: '0'.repeat(64) }),
    ]);
    const explain = ['--images', photos, '--explain', 'bmp-24-101x53.bmp', '--picture', 'no.png'];
    const withNone = await verify(tiny, '--reference', none, ...explain);
    expect(withNone.stdout).toMatch(/Nothing was recorded of the crop .+ option --crops/);
    const withHash = await verify(tiny, '--reference', hashed, ...explain);
    expect(withHash.exitCode).toBe(2);
    expect(withHash.stdout).toMatch(/Only the SHA-256 .+\n.+option --crops/);
    await expect(readFile(join(work, 'no.png'))).rejects.toThrow('ENOENT');
  });

  test('refuses crops of another reference and images that were not recorded', async () => {
    const crops = join(work, 'crops');
    await mkdir(crops);
    const image = 'png-128x97.png';
    await cp(join(fixtures, 'crops/jpeg-exif-6.jpg.png'), join(crops, `${image}.png`));
    const named = [tiny, '--reference', reference, '--images', photos];
    const other = await verify(...named, '--crops', crops, '--explain', image);
    expect(other).toMatchObject({ exitCode: 65, stdout: '' });
    expect(other.stderr).toContain('it belongs to another reference');
    const missing = await verify(...named, '--explain', 'nowhere.png');
    expect(missing).toMatchObject({ exitCode: 66, stdout: '' });
    expect(missing.stderr).toMatch(/--explain nowhere\.png: .+reference\.jsonl \(4 images\)/);
  });
});

/** The first row that is not partly white paper; the photo has no white in its first row. */
function findPanelTop(picture: Pixels, left: number, side: number): number {
  for (let y = 0; y < picture.height; y++) {
    const start = (y * picture.width + left) * 3;
    const row = picture.data.subarray(start, start + side * 3);
    if (row.some((level) => level !== 255) && !row.includes(255)) {
      return y;
    }
  }
  throw new Error('the picture has no panels');
}
