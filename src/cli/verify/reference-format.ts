import { z } from 'zod';
import { sha256 } from '../../catalog/manifest.ts';
import { err, ok, type Result } from '../../core/result.ts';
import { describeIssue } from '../../core/schema-issue.ts';

/**
 * A reference is what training answered, as JSON lines: a header, then a line an image. Keys that
 * are not listed here are ignored. `scripts/export-reference` writes such files.
 */
const FORMAT = 'edge-infer-reference';
const FORMAT_VERSION = 1;

const pathInside = z
  .string()
  .min(1)
  .refine(
    (path) => !path.startsWith('/') && !path.split(/[\\/]/).includes('..'),
    'expected a path inside the folder of images',
  );

const headerSchema = z.object({
  format: z.literal(FORMAT),
  formatVersion: z.literal(FORMAT_VERSION),
  /** The graph that gave the scores. */
  model: z.object({ file: z.string(), sha256 }),
  /** How training made the model's input out of a picture, in words. */
  pipeline: z.string().min(1),
  /** What ran the model. */
  scoredBy: z.string().min(1),
  /** Version by package: what else the answers depend on. */
  versions: z.record(z.string(), z.string()),
  /** A folder beside the reference with each image's crop as `IMAGE.png`. */
  crops: z.string().min(1).exactOptional(),
});

const imageSchema = z.object({
  /** Relative to the folder of images, with `/` between folders. */
  image: pathInside,
  /** Of the image's file. */
  sha256,
  /** SHA-256 of the uint8 crop `[H, W, C]`, before normalisation. */
  cropSha256: sha256.exactOptional(),
  /** The best classes in falling order of score, after the activation. */
  top: z
    .array(
      z.object({
        name: z.string().min(1),
        /** Tells classes of the same name apart. */
        index: z.int().min(0).exactOptional(),
        score: z.number(),
      }),
    )
    .min(1),
});

export type ReferenceHeader = z.infer<typeof headerSchema>;
export type ReferenceImage = z.infer<typeof imageSchema>;

export function parseHeader(line: Uint8Array): Result<ReferenceHeader, string[]> {
  return parseLine(line, headerSchema);
}

export function parseImage(line: Uint8Array): Result<ReferenceImage, string[]> {
  return parseLine(line, imageSchema);
}

/** The error holds every problem of the line, a sentence each. */
function parseLine<T>(line: Uint8Array, schema: z.ZodType<T>): Result<T, string[]> {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(line));
  } catch (error) {
    const found = error instanceof SyntaxError ? error.message : 'another encoding';
    return err([`expected a JSON object in UTF-8, found: ${found}`]);
  }
  const parsed = schema.safeParse(value);
  return parsed.success
    ? ok(parsed.data)
    : err(parsed.error.issues.map((issue) => describeIssue(issue, value, 'the line')));
}
