// Compares our decoding with Pillow's over a folder that mutate.py wrote: node compare.ts FOLDER
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage } from '../../src/imaging/decode.ts';
import { checkSides, probeImage } from '../../src/imaging/probe.ts';

type Expected =
  | { readonly refused: string }
  | {
      readonly width: number;
      readonly height: number;
      readonly rgb: string;
      readonly grey: string;
    };

async function read(bytes: Uint8Array, colour: 'rgb' | 'grey'): Promise<string> {
  const header = probeImage(bytes);
  if (!header.ok) return `refused: ${header.error.detail}`;
  const tooLarge = checkSides({ ...header.value, width: Math.max(15, header.value.width) });
  if (tooLarge !== undefined) return `sides: ${header.value.width}x${header.value.height}`;
  const pixels = await decodeImage(bytes, header.value, { colour, exifOrientation: 'ignore' });
  if (!pixels.ok) return `refused: ${pixels.error.detail}`;
  const { data, width, height } = pixels.value;
  return `${width}x${height} ${createHash('sha256').update(data).digest('hex')}`;
}

const [folder = '.'] = process.argv.slice(2);
const expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8')) as Record<
  string,
  Expected
>;
const counts = {
  same: 0,
  'both refuse': 0,
  'other pixels': 0,
  'only Pillow': 0,
  'only ours': 0,
  sides: 0,
};
for (const [name, theirs] of Object.entries(expected)) {
  const bytes = readFileSync(join(folder, name));
  for (const colour of ['rgb', 'grey'] as const) {
    const ours = await read(bytes, colour);
    const refused = ours.startsWith('refused');
    let outcome: keyof typeof counts;
    if (ours.startsWith('sides')) outcome = 'sides';
    else if ('refused' in theirs) outcome = refused ? 'both refuse' : 'only ours';
    else if (refused) outcome = 'only Pillow';
    else
      outcome =
        ours === `${theirs.width}x${theirs.height} ${theirs[colour]}` ? 'same' : 'other pixels';
    counts[outcome]++;
    if (outcome === 'only ours' || outcome === 'only Pillow' || outcome === 'other pixels') {
      const detail = 'refused' in theirs ? theirs.refused : ours;
      console.log(`${outcome} (${colour}): ${name}: ${detail}`);
    }
  }
}
console.log(counts);
