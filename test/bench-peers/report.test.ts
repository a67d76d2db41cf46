import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  renderEssence,
  renderReport,
  replaceBetweenMarkers,
} from '../../scripts/bench-peers/report.ts';
import type { Results, Row } from '../../scripts/bench-peers/results.ts';
import { packageRoot } from '../support/server.ts';

const loads = [8, 64].map((callers) => ({
  callers,
  requestsPerSecond: 70.04,
  p50Ms: callers * 14,
  p99Ms: callers * 20,
  cpuMs: 15.55,
  callerCpuMs: 0.4,
}));
const row: Row = {
  title: 'Swift',
  variant: 'float32',
  versions: ['swift 1.2.3'],
  configuration: 'two of everything',
  loads,
  startMs: 1234,
  memoryBytes: 250_400_000,
  remarks: [],
};
const results: Results = {
  date: '2030-01-02',
  machine: 'two cores of something',
  photos: '20 JPEGs',
  rounds: 5,
  rows: [
    row,
    { ...row, variant: 'int8', memoryBytes: 200e6 },
    { ...row, title: 'Sloppy', remarks: ['wrong answers: it guesses'] },
  ],
  trials: [
    { title: 'Swift', configuration: 'two of everything', loads, chosen: true },
    { title: 'Swift', configuration: 'one of them', loads, chosen: false },
  ],
  leftOut: [{ title: 'Absent', reason: 'it ended\nwith exit code 1' }],
};

test('the report has a row for each server and model, with every figure', () => {
  expect(renderReport(results)).toContain(
    '| Swift | float32 | 70.0 | 160 | 15.6 | 70.0 | 1280 | 15.6 | 250 | 1.23 |\n' +
      '| Swift | int8 | 70.0 | 160 | 15.6 | 70.0 | 1280 | 15.6 | 200 | 1.23 |',
  );
});

test('the report says when, where and with which versions it was measured', () => {
  const report = renderReport(results);
  expect(report).toContain('2030-01-02 on two cores of something; medians of 5');
  expect(report).toContain('Swift: swift 1.2.3');
});

test('the report marks what a row needs said of it, and names who is left out', () => {
  const report = renderReport(results);
  expect(report).toContain('| Sloppy<sup>1</sup> | float32 |');
  expect(report).toContain('<sup>1</sup> Sloppy, float32: wrong answers: it guesses.');
  expect(report).toContain('Absent (it ended with exit code 1)');
});

test('the report shows every configuration that was tried, and which was chosen', () => {
  const report = renderReport(results);
  expect(report).toContain('| Swift | **two of everything** | 70.0 | 160 | 70.0 | 1280 |');
  expect(report).toContain('| Swift | one of them | 70.0 | 160 | 70.0 | 1280 |');
});

test('the essence has a line for each server, with both models at the highest load', () => {
  const essence = renderEssence(results);
  expect(essence).toContain('Model float32 / int8, 64 callers');
  expect(essence).toContain(
    '| Swift | 70 / 70 | 1280 / 1280 | 15.6 / 15.6 | 250 / 200 | 1.23 / 1.23 |',
  );
  expect(essence).toContain('| Sloppy (wrong answers) | 70 |');
  expect(essence).toContain('Absent');
});

test('replaces only what stands between the markers, again and again', () => {
  const document = 'before\n<!-- table -->\nold\n<!-- /table -->\nafter';
  const once = replaceBetweenMarkers(document, 'table', 'new $& text');
  expect(once).toBe('before\n<!-- table -->\n\nnew $& text\n\n<!-- /table -->\nafter');
  expect(replaceBetweenMarkers(once, 'table', 'new $& text')).toBe(once);
});

test.each([
  ['none', 'text'],
  ['no end', '<!-- table --> text'],
  ['the wrong order', '<!-- /table --> text <!-- table -->'],
  ['two of them', '<!-- table --><!-- /table --><!-- table --><!-- /table -->'],
])('refuses a document whose markers are %s', (_, document) => {
  expect(() => replaceBetweenMarkers(document, 'table', 'new')).toThrow(
    'expected <!-- table --> and, after it, <!-- /table -->, once each',
  );
});

test.each(['README.md', 'scripts/README.md'])('%s has a place for the table', async (file) => {
  const document = await readFile(join(packageRoot, file), 'utf8');
  expect(replaceBetweenMarkers(document, 'bench:peers', 'the table')).toContain('the table');
});
