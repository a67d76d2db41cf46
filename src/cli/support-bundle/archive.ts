import { buffer } from 'node:stream/consumers';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';

export interface BundleFile {
  readonly name: string;
  readonly text: string;
}

/** A `.tar.gz` of the files in one folder; it tells of no user and of no group. */
export function packBundle(folder: string, files: readonly BundleFile[]): Promise<Buffer> {
  const archive = pack();
  for (const { name, text } of files) {
    archive.entry({ name: `${folder}/${name}`, mode: 0o644, mtime: new Date() }, text);
  }
  archive.finalize();
  return buffer(archive.pipe(createGzip()));
}
