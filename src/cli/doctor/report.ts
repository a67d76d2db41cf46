import { styleText } from 'node:util';
import { count } from '../count.ts';
import { formatTable, printable } from '../text-table.ts';
import type { Examined } from './examine.ts';
import { type Finding, type Severity, severities } from './finding.ts';

/** What `doctor --json` prints; described in README.md of this folder. */
export interface DoctorReport {
  /** Raised when a key changes its meaning; keys may be added at any time. */
  readonly format: 1;
  /** Whether there is no problem. */
  readonly ok: boolean;
  readonly version: string;
  /** ISO 8601. */
  readonly time: string;
  readonly asRoot: boolean;
  readonly findings: readonly (Finding & { readonly check: string })[];
}

export function createReport(examined: readonly Examined[], version: string): DoctorReport {
  const findings = examined.flatMap(({ check, findings: ofCheck }) =>
    ofCheck.map((finding) => ({ check, ...finding })),
  );
  return {
    format: 1,
    ok: findings.every(({ severity }) => severity !== 'problem'),
    version,
    time: new Date().toISOString(),
    asRoot: process.geteuid?.() === 0,
    findings,
  };
}

const colours = { ok: 'green', note: 'cyan', warning: 'yellow', problem: 'red' } as const;

const SEVERITY_WIDTH = 9;
const CHECK_WIDTH = 15;
const USUAL_WIDTH = 100;
const MIN_TEXT_WIDTH = 40;

export function formatReport({ findings, asRoot }: DoctorReport): string {
  const width = process.stdout.columns ?? USUAL_WIDTH;
  const textWidth = Math.max(MIN_TEXT_WIDTH, width - SEVERITY_WIDTH - CHECK_WIDTH);
  const widths = [SEVERITY_WIDTH, CHECK_WIDTH, textWidth];
  // The worst stands last, where a terminal ends. A command is not wrapped, so that it can be pasted.
  const bySeverity = severities.flatMap((each) =>
    findings.filter(({ severity }) => severity === each),
  );
  const blocks = bySeverity.map(({ check, severity, found, meaning, command }) => {
    const text = meaning === '' ? sentence(found) : `${sentence(found)} ${meaning.trim()}`;
    const table = formatTable([[colour(severity), check, printable(text)]], { widths });
    const indent = ' '.repeat(SEVERITY_WIDTH + CHECK_WIDTH);
    return command === undefined ? table : `${table}${indent}  ${printable(command)}\n`;
  });
  const rest = asRoot ? '' : ' Root sees more: sudo edge-infer doctor';
  return `${blocks.join('')}\n${summarize(findings)}.${rest}\n`;
}

function summarize(findings: readonly Finding[]): string {
  const counts = severities
    .filter((severity) => severity !== 'ok')
    .toReversed()
    .map((severity) => {
      const number = findings.filter((finding) => finding.severity === severity).length;
      return number === 0 && severity === 'problem' ? 'No problems' : count(number, severity);
    });
  return counts.join(', ');
}

function sentence(text: string): string {
  return /[.!?]$/.test(text) ? text : `${text}.`;
}

function colour(severity: Severity): string {
  return styleText(colours[severity], severity, { stream: process.stdout });
}
