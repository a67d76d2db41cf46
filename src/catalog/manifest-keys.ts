import { z } from 'zod';
import { manifestSchema } from './manifest.ts';

/**
 * Every key a manifest may have, read off the schema: `input.name`, `golden.examples[].image`;
 * `labels.*` stands for names that the author chooses.
 */
export function listManifestKeys(): string[] {
  return listKeys(manifestSchema, '');
}

function listKeys(schema: unknown, path: string): string[] {
  if (schema instanceof z.ZodObject) {
    return Object.entries(schema.shape).flatMap(([key, child]) => {
      const childPath = path === '' ? key : `${path}.${key}`;
      return [childPath, ...listKeys(child, childPath)];
    });
  }
  if (schema instanceof z.ZodDiscriminatedUnion) {
    return [...new Set(schema.options.flatMap((option) => listKeys(option, path)))];
  }
  if (schema instanceof z.ZodRecord) {
    return [`${path}.*`];
  }
  if (schema instanceof z.ZodArray) {
    return listKeys(schema.element, `${path}[]`);
  }
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodExactOptional) {
    return listKeys(schema.unwrap(), path);
  }
  return [];
}
