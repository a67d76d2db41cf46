import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { constants, inflateSync } from 'node:zlib';
import Table from 'cli-table3';
import sharp from 'sharp';
import { freeMemory } from '../../src/core/free-memory.ts';
import { readPngContent, readPngHeader } from '../../src/imaging/png-chunks.ts';
import { median } from './measurement.ts';
import { measureInTurns } from './turns.ts';

/** The golden PNGs of a model, and one of 4 megapixel made of a large JPEG. */
export async function makePngs(folder: string, large: Buffer): Promise<Buffer[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.png')).toSorted();
  return Promise.all([
    ...names.map((name) => readFile(join(folder, name))),
    sharp(large).resize(2400, 1700).png({ adaptiveFiltering: true }).toBuffer(),
  ]);
}

/** The decompression of a PNG's rows by node:zlib, which no exact way can do without. */
function createInflate(png: Uint8Array): () => void {
  const content = readPngContent(png);
  if (!content.ok) throw new Error(content.error.detail);
  const stream = Buffer.concat(content.value.compressed);
  const chunkSize = inflateSync(stream).length + 1;
  return () => freeMemory(inflateSync(stream, { chunkSize, finishFlush: constants.Z_SYNC_FLUSH }));
}

/** A table of CPU milliseconds, a column for each PNG; `ways` go from its bytes to the tensor. */
export async function measurePngs(
  pngs: readonly Buffer[],
  ways: Readonly<Record<string, (png: Uint8Array) => Promise<void>>>,
): Promise<string> {
  const columns = [];
  for (const png of pngs) {
    const tasks = {
      "node:zlib's inflate alone": createInflate(png),
      ...Object.fromEntries(Object.entries(ways).map(([name, go]) => [name, () => go(png)])),
    };
    const repeat = Math.max(2, Math.round(8_000_000 / png.length));
    columns.push(await measureInTurns(tasks, { rounds: 10, photos: 1, repeat }));
  }
  const table = new Table({
    head: ['CPU ms a PNG', ...pngs.map(describePng)],
    colAligns: ['left', ...pngs.map(() => 'right' as const)],
    style: { head: [], border: [] },
  });
  for (const name of Object.keys(columns[0] ?? {})) {
    table.push([name, ...columns.map((column) => median(column[name] ?? []).toFixed(2))]);
  }
  return table.toString();
}

function describePng(png: Buffer): string {
  const header = readPngHeader(png);
  if (!header.ok) throw new Error(header.error.detail);
  const { width, height, colourType } = header.value;
  const kind = colourType === 0 ? 'grey' : 'RGB';
  return `${width} x ${height} ${kind}\n${(png.length / 1000).toFixed(0)} kB`;
}
