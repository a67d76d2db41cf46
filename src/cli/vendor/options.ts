import { resolve } from 'node:path';
import { z } from 'zod';
import { defaultBuildFile, defaultRegister } from './places.ts';

const path = z
  .string('expected the path of a file')
  .min(1)
  .transform((text) => resolve(text));

/** Options that several of the vendor's commands have; each command's schema takes what it needs. */
export const optionSchemas = {
  acceptWeak: z.literal(true).optional(),
  key: path,
  passphraseFile: path.optional(),
  register: path.default(defaultRegister),
  build: path.default(defaultBuildFile),
  out: path.optional(),
  /** `-` stays what it is: standard input. */
  request: z.string('expected the path of a request, or -').min(1),
  gpu: z
    .string()
    .regex(/^\d{1,2}$/, 'expected the number of a card in the request, from 0')
    .transform(Number)
    .optional(),
};
