import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ModelPackage } from '../../src/catalog/model-package.ts';

/** The photos that come with a model: its golden examples. */
export async function loadPhotos({ folder, manifest }: ModelPackage): Promise<Uint8Array[]> {
  return Promise.all(
    manifest.golden.examples.map(
      async ({ image }) => new Uint8Array(await readFile(join(folder, image))),
    ),
  );
}

/** A photo as the body of a request. */
export function encodeRequest(photo: Uint8Array): string {
  return JSON.stringify({ image: photo.toBase64() });
}
