/**
 * Every entry point of an addon over the reference files and `mutations` damaged ones, beside the
 * portable way; and base64 in all its spellings. Prints where the ways differ. What it is for is
 * running it under the sanitizers: see ../test-native-asan.ts.
 */
import cliProgress from 'cli-progress';
import { createNativePreparer } from '../../src/imaging/native-preparer.ts';
import { createPortablePreparer } from '../../src/imaging/portable-preparer.ts';
import { loadNativeBindings, type NativeBindings } from '../../src/platform/native-bindings.ts';
import { createRandom } from '../../test/support/mutate.ts';
import { judge, mutateFixtures, optionsFor, readFixtures, recipes } from './both-ways.ts';

const [addonFile = '', mutationsText = '', seedText = '1'] = process.argv.slice(2);
const mutations = Number(mutationsText);
const loaded = loadNativeBindings(addonFile);
if (!loaded.ok) {
  throw new Error(loaded.error);
}
const bindings = loaded.value;

const preparers = recipes.map((recipe) => {
  const options = optionsFor(recipe);
  return {
    channels: recipe.colour === 'grey' ? 1 : 3,
    native: createNativePreparer(options, bindings),
    portable: createPortablePreparer(options),
  } as const;
});

const counts = { accepted: 0, refused: 0, different: 0 };

async function compare(name: string, bytes: Uint8Array, which: number): Promise<void> {
  const preparer = preparers[which % preparers.length];
  if (preparer === undefined) {
    throw new Error('no recipes');
  }
  const expected = await judge(preparer.portable, bytes, preparer.channels);
  for (const kernel of bindings.kernels) {
    bindings.useKernel(kernel);
    const found = await judge(preparer.native, bytes, preparer.channels);
    if (found !== expected) {
      counts.different++;
      console.log(
        `${name}, recipe ${which % preparers.length}, ${kernel}: portable ${expected}, native ${found}`,
      );
    }
  }
  counts[/^[0-9a-f]{64}$/.test(expected) ? 'accepted' : 'refused']++;
}

const fixtures = readFixtures();
const progress = new cliProgress.SingleBar(
  { format: 'files [{bar}] {value}/{total}, {duration_formatted}', stream: process.stderr },
  cliProgress.Presets.shades_classic,
);
progress.start(fixtures.size * preparers.length + mutations, 0);
for (const [name, bytes] of fixtures) {
  for (const which of preparers.keys()) {
    await compare(name, bytes, which);
    progress.increment();
  }
}
let which = 0;
for (const [name, bytes] of mutateFixtures(mutations, Number(seedText))) {
  await compare(name, bytes, which++);
  progress.increment();
}
progress.stop();
console.log(
  `files: ${counts.accepted} accepted and ${counts.refused} refused by the portable way, ${counts.different} differences`,
);

/** Spells bytes as base64 the way some client might: wrapped, escaped, or wrong in one character. */
function spellBase64(bytes: Uint8Array, random: (below: number) => number): string {
  let text = bytes.toBase64();
  if (random(3) === 0) text = text.replaceAll('/', '\\/');
  if (random(3) === 0) text = text.replaceAll('=', '\\u003d').replaceAll('+', '\\u002B');
  if (random(3) === 0) text = text.replace(/.{1,76}/g, '$&\\r\\n');
  if (random(4) > 0) return text;
  const at = random(text.length + 1);
  const stray = ['=', '\\', '\\u', '\\u12', '-', 'é', ' ', '\n', 'A', '\\u0041', '\\n', '"'][
    random(12)
  ];
  return text.slice(0, at) + stray + text.slice(at + random(2));
}

/** The plain definition: JSON's escapes, white space away, the standard alphabet, whole quads. */
function readBase64(text: string): Buffer | undefined {
  let value: string;
  try {
    value = JSON.parse(`"${text}"`) as string;
  } catch {
    return undefined;
  }
  const compact = value.replace(/[ \t\r\n]/g, '');
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact);
  return isBase64 ? Buffer.from(compact, 'base64') : undefined;
}

function compareBase64(
  { decodeBase64, kernels, useKernel }: NativeBindings,
  rounds: number,
): number {
  const random = createRandom(7);
  let wrong = 0;
  for (let i = 0; i < rounds; i++) {
    const bytes = Uint8Array.from({ length: random(400) }, () => random(256));
    const text = spellBase64(bytes, random);
    const source = Buffer.from(text);
    const expected = readBase64(text);
    const target = new Uint8Array(Math.floor(source.length / 4) * 3 + 3);
    for (const kernel of kernels) {
      useKernel(kernel);
      const written = decodeBase64(source, 0, source.length, target);
      const found = written < 0 ? undefined : Buffer.from(target.subarray(0, written));
      if (expected === undefined ? found !== undefined : found?.equals(expected) !== true) {
        wrong++;
        console.log(
          `base64 ${JSON.stringify(text)}, ${kernel}: expected ${expected?.length}, found ${found?.length}`,
        );
      }
    }
  }
  return wrong;
}

/** Addresses of every length and of strange bytes; nobody listens on any of them. */
function sendToNobody({ sendDatagram }: NativeBindings, rounds: number): number {
  const random = createRandom(11);
  let taken = 0;
  for (let i = 0; i < rounds; i++) {
    const first = ['/', '@', '', '\0', 'é'][random(5)] ?? '';
    const address = `${first}nobody/${'x'.repeat(random(130))}`;
    taken += Number(sendDatagram(address, new Uint8Array(random(3) * 40_000)) === 0);
  }
  return taken;
}

const takenDatagrams = sendToNobody(bindings, 5_000);
console.log(`datagrams: 5000 to nobody, ${takenDatagrams} taken`);
const wrongBase64 = compareBase64(bindings, 20_000);
console.log(`base64: 20000 spellings, ${wrongBase64} differences`);
process.exitCode = counts.different + wrongBase64 + takenDatagrams === 0 ? 0 : 1;
