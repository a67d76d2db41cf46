import type { ImagingRecipe, Resize } from '../../../imaging/recipe.ts';

/** One thing that training may have done otherwise than the manifest says. */
export interface RecipeChange {
  /** The keys of the manifest that would say it; null for one to be left out. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** What would be other, to stand after "with". */
  readonly words: string;
  /** Changes of one kind exclude each other. */
  readonly kind: string;
  /** Undefined where the recipe has nothing to change. */
  apply(recipe: ImagingRecipe): ImagingRecipe | undefined;
  /** Red and blue change places in the crop. */
  readonly swapsRedAndBlue?: boolean;
}

/** What the manifest would have to say for several changes together. */
export function mergeKeys(changes: readonly RecipeChange[]): Readonly<Record<string, unknown>> {
  return Object.assign({}, ...changes.map(({ manifest }) => manifest));
}

interface Sides {
  readonly width: number;
  readonly height: number;
}

/** What the short side is resized to for a crop of 224; in proportion for other crops. */
const SHORT_SIDES_OF_224 = [224, 232, 235, 236, 240, 248, 249, 250, 256, 263, 280];
const USUAL_SHORT_SIDE_OF_224 = 256;
const LETTERBOX_FILLS = [0, 114, 127, 128, 255];

/** The mistakes that are made, each as a change of the recipe; `input` is the crop's sides. */
export function listChanges(recipe: ImagingRecipe, input: Sides): RecipeChange[] {
  return [...listSwitches(recipe), ...listResizes(recipe, input)];
}

function listSwitches(recipe: ImagingRecipe): RecipeChange[] {
  const interpolation = recipe.interpolation === 'bicubic' ? 'bilinear' : 'bicubic';
  const pillow = recipe.pillow === '<13' ? '>=13' : '<13';
  const exifOrientation = recipe.exifOrientation === 'apply' ? 'ignore' : 'apply';
  const changes: RecipeChange[] = [
    {
      kind: 'interpolation',
      manifest: { 'preprocessing.interpolation': interpolation },
      words: `${interpolation} in place of ${recipe.interpolation}`,
      apply: (from) => ({ ...from, interpolation }),
    },
    {
      kind: 'pillow',
      manifest: { 'preprocessing.pillow': pillow },
      words: `the resize of Pillow ${pillow} in place of ${recipe.pillow}`,
      apply: (from) => ({ ...from, pillow }),
    },
    {
      kind: 'exifOrientation',
      manifest: { 'preprocessing.exifOrientation': exifOrientation },
      words: `the EXIF orientation ${exifOrientation === 'apply' ? 'applied' : 'ignored'}`,
      apply: (from) => ({ ...from, exifOrientation }),
    },
  ];
  if (recipe.resize.mode === 'short-side') {
    const rounding = recipe.resize.rounding === 'truncate' ? 'round' : 'truncate';
    changes.push({
      kind: 'rounding',
      manifest: { 'preprocessing.resize.rounding': rounding },
      words: `the long side ${rounding === 'round' ? 'rounded' : 'truncated'}`,
      apply: (from) =>
        from.resize.mode === 'short-side'
          ? { ...from, resize: { ...from.resize, rounding } }
          : undefined,
    });
  }
  if (recipe.crop !== undefined) {
    const offset = recipe.crop.offset === 'floor' ? 'half-even' : 'floor';
    changes.push({
      kind: 'offset',
      manifest: { 'preprocessing.crop.offset': offset },
      words: `the crop's offset rounded ${offset === 'floor' ? 'down' : 'half to even'}`,
      apply: (from) =>
        from.crop === undefined ? undefined : { ...from, crop: { ...from.crop, offset } },
    });
  }
  if (recipe.colour !== 'grey') {
    const colour = recipe.colour === 'bgr' ? 'rgb' : 'bgr';
    changes.push({
      kind: 'colour',
      manifest: { 'input.colour': colour },
      words: 'red and blue exchanged, as OpenCV reads pictures',
      apply: (from) => from,
      swapsRedAndBlue: true,
    });
  }
  return changes;
}

/** Other ways to the same sides: a `crop` follows where the resize does not end there itself. */
function listResizes({ resize, crop }: ImagingRecipe, input: Sides): RecipeChange[] {
  const { width, height } = input;
  const shorter = Math.min(width, height);
  const kept = crop ?? { ...input, offset: 'half-even' };
  const rounding = resize.mode === 'short-side' ? resize.rounding : 'truncate';
  const inProportion = (side: number) => Math.floor((side * shorter) / 224);
  const shortSides = new Set(SHORT_SIDES_OF_224.map(inProportion));
  const stretched = new Set([inProportion(USUAL_SHORT_SIDE_OF_224)]);
  if (resize.mode === 'short-side') {
    shortSides
      .add(resize.size - 1)
      .add(resize.size + 1)
      .delete(resize.size);
    stretched.add(resize.size);
  }
  const all: readonly { to: Resize; words: string; cropsTo?: typeof kept }[] = [
    ...[...shortSides].map((size) => ({
      to: { mode: 'short-side', size, rounding } as const,
      words: `the short side resized to ${size}`,
      cropsTo: kept,
    })),
    {
      to: { mode: 'stretch', width, height },
      words: `the picture stretched to ${width} x ${height}`,
    },
    ...[...stretched].map((side) => ({
      to: { mode: 'stretch', width: side, height: side } as const,
      words: `the picture stretched to ${side} x ${side}, then cropped`,
      cropsTo: kept,
    })),
    ...LETTERBOX_FILLS.map((fill) => ({
      to: { mode: 'letterbox', width, height, fill } as const,
      words: `the picture fitted into ${width} x ${height} with bars of level ${fill}`,
    })),
  ];
  return all.map(({ to, words, cropsTo }) => ({
    kind: 'resize',
    manifest: {
      'preprocessing.resize': to,
      ...(cropsTo !== crop && { 'preprocessing.crop': cropsTo ?? null }),
    },
    words,
    apply({ crop: _, ...from }) {
      return { ...from, resize: to, ...(cropsTo !== undefined && { crop: cropsTo }) };
    },
  }));
}
