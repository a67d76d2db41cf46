import { z } from 'zod';

/**
 * Names the file format of `manifest.json`; a change of what a key means raises it. A new optional
 * key does not: an older program refuses it by name.
 */
const FORMAT_VERSION = 1;

// Contract: sides beyond this are refused before decoding, so no model input can need more.
const MAX_INPUT_SIDE_PX = 4096;

const side = z.int().min(1).max(MAX_INPUT_SIDE_PX);
export const sha256 = z
  .string()
  .regex(/^[0-9a-f]{64}$/, 'expected a SHA-256 as 64 lower-case hex digits');
const relativePath = z
  .string()
  .min(1)
  .refine(
    (path) => !path.startsWith('/') && !path.split(/[\\/]/).includes('..'),
    'expected a path inside the model folder',
  );
const className = z.string().min(1);

const resize = z.discriminatedUnion('mode', [
  z.strictObject({
    mode: z.literal('short-side'),
    size: side,
    /** torchvision truncates the long side, PaddleClas rounds it. */
    rounding: z.enum(['truncate', 'round']).default('truncate'),
  }),
  z.strictObject({ mode: z.literal('stretch'), width: side, height: side }),
  z.strictObject({
    mode: z.literal('letterbox'),
    width: side,
    height: side,
    fill: z.int().min(0).max(255).default(0),
  }),
]);

const crop = z.strictObject({
  width: side,
  height: side,
  /** torchvision rounds half to even, PaddleClas rounds down. */
  offset: z.enum(['half-even', 'floor']).default('half-even'),
});

const finite = z.number();
const normalise = z
  .strictObject({
    divideBy: finite.positive().exactOptional(),
    multiplyBy: finite.positive().exactOptional(),
    mean: z.array(finite).min(1).max(3),
    std: z.array(finite.positive()).min(1).max(3),
  })
  .refine(
    (n) => n.divideBy === undefined || n.multiplyBy === undefined,
    'expected divideBy or multiplyBy, found both',
  );

const goldenExample = z.strictObject({
  image: relativePath,
  /** SHA-256 of the uint8 crop, `[H, W, C]`, before normalisation. */
  cropSha256: sha256.exactOptional(),
  /** The classes with the highest scores, in falling order. */
  top: z.array(z.strictObject({ name: className, score: finite })).min(1),
});

const golden = z.strictObject({
  /** Largest accepted difference from a recorded score. */
  scoreTolerance: finite.positive().max(1),
  examples: z.array(goldenExample),
});

const share = finite.min(0).max(1);
const accuracy = z.strictObject({ reference: share, variant: share });

/** Another graph of the same model: same input, output, preprocessing and labels. */
const furtherVariant = z.strictObject({
  model: relativePath,
  needs: z
    .strictObject({
      device: z.literal('cpu').exactOptional(),
      /** At least one of these, as Linux names them. */
      anyCpuFeature: z.array(z.string().min(1)).min(1).exactOptional(),
    })
    .default({}),
  /** How it compared with the reference, the graph under `model`, on pictures of its author. */
  agreement: z.strictObject({
    images: z.int().min(1),
    sameClass: share,
    top1: accuracy.exactOptional(),
    top5: accuracy.exactOptional(),
  }),
  golden,
});

export const manifestSchema = z
  .strictObject({
    formatVersion: z.literal(FORMAT_VERSION),
    name: z.string().min(1),
    version: z.string().min(1),
    description: z.string().exactOptional(),
    license: z.string().exactOptional(),
    task: z.literal('image-classification'),
    /** The graph's file. */
    model: relativePath,
    /** Every file that the model consists of, with its SHA-256: graph, external data, labels, images. */
    files: z.record(relativePath, sha256),
    input: z.strictObject({
      name: z.string().min(1),
      elementType: z.enum(['float32', 'float16', 'uint8']).default('float32'),
      layout: z.enum(['nchw', 'nhwc']).default('nchw'),
      colour: z.enum(['rgb', 'bgr', 'grey']).default('rgb'),
      width: side,
      height: side,
    }),
    preprocessing: z.strictObject({
      exifOrientation: z.enum(['ignore', 'apply']).default('ignore'),
      resize,
      interpolation: z.enum(['bilinear', 'bicubic']),
      /** The Pillow the pipeline was trained with: 13 changed the order of the two resize passes. */
      pillow: z.enum(['<13', '>=13']),
      crop: crop.exactOptional(),
      /** Absent only for uint8 inputs, which take the pixels as they are. */
      normalise: normalise.exactOptional(),
    }),
    output: z.strictObject({
      name: z.string().min(1),
      activation: z.enum(['softmax', 'sigmoid', 'none']),
    }),
    /** Label file by language tag; the first is the default. */
    labels: z
      .record(z.string().min(2), relativePath)
      .refine((labels) => Object.keys(labels).length > 0, 'expected at least one language'),
    golden,
    /** What `model` is; `golden` is its. */
    variant: z.enum(['float32', 'int8']).default('float32'),
    variants: z.strictObject({ int8: furtherVariant }).exactOptional(),
  })
  .superRefine((manifest, context) => {
    for (const problem of findContradictions(manifest)) {
      context.addIssue({ code: 'custom', path: problem.path, message: problem.message });
    }
  });

export type Manifest = z.infer<typeof manifestSchema>;

interface Contradiction {
  readonly path: string[];
  readonly message: string;
}

type ManifestFields = Pick<
  Manifest,
  'model' | 'files' | 'input' | 'preprocessing' | 'labels' | 'golden' | 'variant' | 'variants'
>;

/** What no single field shows: parts of the manifest that do not fit each other. */
function findContradictions(manifest: ManifestFields): Contradiction[] {
  const { input, preprocessing } = manifest;
  const found: Contradiction[] = [];
  const report = (path: string, message: string) => found.push({ path: path.split('.'), message });

  const { resize: resizeTo, crop: cropTo, normalise: normalisation } = preprocessing;
  const produced = cropTo ?? (resizeTo.mode === 'short-side' ? undefined : resizeTo);
  if (produced === undefined) {
    report('preprocessing.crop', 'expected a crop after a short-side resize, found none');
  } else if (produced.width !== input.width || produced.height !== input.height) {
    report(
      'preprocessing',
      `expected it to end at the input's ${input.width} x ${input.height}, found ${produced.width} x ${produced.height}`,
    );
  }

  if (input.elementType === 'uint8') {
    if (normalisation !== undefined) {
      report(
        'preprocessing.normalise',
        'expected none with a uint8 input, which takes raw pixels, found some',
      );
    }
  } else if (normalisation === undefined) {
    report(
      'preprocessing.normalise',
      `expected mean and std for a ${input.elementType} input, found nothing`,
    );
  } else {
    const channels = input.colour === 'grey' ? 1 : 3;
    for (const key of ['mean', 'std'] as const) {
      if (normalisation[key].length !== channels) {
        report(
          `preprocessing.normalise.${key}`,
          `expected ${channels} ${channels === 1 ? 'number' : 'numbers'} for colour ${input.colour}, found ${normalisation[key].length}`,
        );
      }
    }
  }

  const further = manifest.variants?.int8;
  if (further !== undefined && manifest.variant === 'int8') {
    report('variants.int8', 'expected a variant that the model itself is not, found int8 twice');
  }
  const graphs = further === undefined ? [manifest] : [manifest, further];
  const needed = [
    ...graphs.map(({ model }) => model),
    ...Object.values(manifest.labels),
    ...graphs.flatMap((graph) => graph.golden.examples.map((example) => example.image)),
  ];
  for (const file of new Set(needed)) {
    if (!Object.hasOwn(manifest.files, file)) {
      report('files', `expected the SHA-256 of ${file}, found no entry for it`);
    }
  }
  return found;
}
