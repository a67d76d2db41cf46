/**
 * `npm run test:license-matrix`: what becomes of a licence when hardware changes, played with
 * recorded hosts (test/fixtures/hosts). Prints the table of license/README.md; exits with 1 where
 * an event does not come to what is expected.
 */
import { formatTable } from '../src/cli/text-table.ts';
import { hardwareMatrix } from '../test/support/hardware-matrix/matrix.ts';
import { playRow } from '../test/support/hardware-matrix/row.ts';

const rows = [['event', 'score', 'expected', 'got']];
let wrong = 0;
for (const row of hardwareMatrix) {
  const { event, score, expected, got, gotScore } = await playRow(row);
  const isRight = got === expected && gotScore === score;
  wrong += isRight ? 0 : 1;
  rows.push([event, gotScore, expected, isRight ? got : `${got}, WRONG (expected ${score})`]);
}
const isMarkdown = process.argv.includes('--markdown');
process.stdout.write(
  isMarkdown
    ? [rows[0] as string[], ['---', '---', '---', '---'], ...rows.slice(1)]
        .map((row) => `| ${row.join(' | ')} |\n`)
        .join('')
    : formatTable(rows, { widths: [null, null, null, null] }),
);
process.stdout.write(`\n${hardwareMatrix.length} events, ${wrong} wrong\n`);
process.exitCode = wrong === 0 ? 0 : 1;
