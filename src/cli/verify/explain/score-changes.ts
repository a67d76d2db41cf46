import type { Manifest } from '../../../catalog/manifest.ts';
import type { ColourOrder, NormaliseRecipe } from '../../../imaging/recipe.ts';
import type { TensorOptions } from '../../../imaging/tensor.ts';
import type { TensorTask } from '../../../inference/protocol.ts';

/** One way from a crop to scores. */
export interface ScoreRecipe {
  readonly tensor: TensorOptions;
  readonly activation: TensorTask['activation'];
}

/** A way that training may have gone in place of the manifest's. */
export interface ScoreChange extends ScoreRecipe {
  /** The keys of the manifest that would say it. */
  readonly manifest: Readonly<Record<string, unknown>>;
  /** What would be other, to stand after "with". */
  readonly words: string;
}

interface OtherNormalise {
  readonly words: string;
  readonly normalise: NormaliseRecipe;
}

/** Mean and standard deviation for every colour order; triples are red, green, blue. */
const usualNormalises: readonly OtherNormalise[] = [
  { words: 'levels as they are, 0 to 255', normalise: { mean: [0], std: [1] } },
  { words: 'levels from 0 to 1', normalise: { divideBy: 255, mean: [0], std: [1] } },
  { words: 'levels from -1 to 1', normalise: { mean: [127.5], std: [127.5] } },
  { words: 'levels less 127, divided by 128', normalise: { mean: [127], std: [128] } },
  {
    words: "ImageNet's mean and standard deviation",
    normalise: { divideBy: 255, mean: [0.485, 0.456, 0.406], std: [0.229, 0.224, 0.225] },
  },
  {
    words: "CLIP's mean and standard deviation",
    normalise: {
      divideBy: 255,
      mean: [0.48145466, 0.4578275, 0.40821073],
      std: [0.26862954, 0.26130258, 0.27577711],
    },
  },
  {
    words: "ImageNet's mean taken off, as Caffe does",
    normalise: { mean: [123.68, 116.779, 103.939], std: [1] },
  },
];

const activations = ['softmax', 'sigmoid', 'none'] as const;

export function scoreRecipeOf({ input, preprocessing, output }: Manifest): ScoreRecipe {
  const { layout, colour, elementType } = input;
  return {
    tensor: { layout, colour, elementType, normalise: preprocessing.normalise },
    activation: output.activation,
  };
}

/** The mistakes that are made between crop and scores, the likeliest first. */
export function listScoreChanges(manifest: Manifest): ScoreChange[] {
  const { tensor, activation } = scoreRecipeOf(manifest);
  const otherColours: ColourOrder[] =
    tensor.colour === 'grey' ? [] : [tensor.colour === 'rgb' ? 'bgr' : 'rgb'];
  const swaps = otherColours.map((colour) => ({
    manifest: { 'input.colour': colour },
    words: `the channels in the order ${colour.toUpperCase()}`,
    tensor: { ...tensor, colour },
    activation,
  }));
  const normalises = [tensor.colour, ...otherColours].flatMap((colour) =>
    listNormalises(tensor.normalise, colour).map(({ words, normalise }) => ({
      manifest: {
        'preprocessing.normalise': normalise,
        ...(colour !== tensor.colour && { 'input.colour': colour }),
      },
      words: colour === tensor.colour ? words : `${words}, in the order ${colour.toUpperCase()}`,
      tensor: { ...tensor, colour, normalise },
      activation,
    })),
  );
  const otherActivations = activations
    .filter((other) => other !== activation)
    .map((other) => ({
      manifest: { 'output.activation': other },
      words: other === 'none' ? 'no activation' : `${other} as activation`,
      tensor,
      activation: other,
    }));
  return [...swaps, ...normalises, ...otherActivations];
}

function listNormalises(own: NormaliseRecipe | undefined, colour: ColourOrder): OtherNormalise[] {
  if (own === undefined) {
    return []; // uint8 inputs take the levels as they are
  }
  const { mean, std, ...scale } = own;
  const rescaled =
    Object.keys(scale).length === 0
      ? { words: 'levels divided by 255 before', normalise: { divideBy: 255, mean, std } }
      : { words: 'levels not scaled before', normalise: { mean, std } };
  const channels = colour === 'grey' ? 1 : 3;
  return [
    rescaled,
    ...usualNormalises
      .filter(({ normalise }) => channels === 3 || normalise.mean.length === 1)
      .map(({ words, normalise }) => ({
        words,
        normalise: {
          ...normalise,
          mean: inOrder(normalise.mean, colour),
          std: inOrder(normalise.std, colour),
        },
      })),
  ];
}

/** One number for each of the tensor's channels, as manifests have them. */
function inOrder(numbers: readonly number[], colour: ColourOrder): number[] {
  const [first = 0] = numbers;
  if (colour === 'grey') {
    return [first];
  }
  const triple = numbers.length === 1 ? [first, first, first] : [...numbers];
  return colour === 'bgr' ? triple.reverse() : triple;
}
