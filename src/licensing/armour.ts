import { err, ok, type Result } from '../core/result.ts';
import { decodeBase64url } from './base64url.ts';

const KIBIBYTE = 1024;

/** The kinds of document, with the size that a file of each may have. */
export const maxDocumentBytes = {
  LICENSE: 16 * KIBIBYTE,
  'LICENSE REQUEST': 16 * KIBIBYTE,
  'LICENSE RELEASE': 16 * KIBIBYTE,
  'REVOCATION LIST': 1024 * KIBIBYTE,
} as const;

export type DocumentLabel = keyof typeof maxDocumentBytes;

const labels = Object.keys(maxDocumentBytes) as DocumentLabel[];
const LINE_CHARACTERS = 64;

/** The text of a document's file: begin line, base64url in lines of 64, end line; LF ends each. */
export function writeArmour(label: DocumentLabel, bytes: Uint8Array): string {
  const body = Buffer.from(bytes).toString('base64url');
  const lines = body.match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return [beginLine(label), ...lines, endLine(label), ''].join('\n');
}

/**
 * The bytes inside a document's file, which must be exactly as `writeArmour` writes it, or that
 * with CRLF at the end of every line. The error says what is wrong, without the file's content.
 */
export function readArmour(file: Uint8Array, label: DocumentLabel): Result<Buffer, string> {
  if (file.length > maxDocumentBytes[label]) {
    return err(`expected at most ${maxDocumentBytes[label]} bytes, found ${file.length}`);
  }
  const found = Buffer.from(file).toString('latin1');
  const isCrlf = found.includes('\r');
  if (isCrlf && /(?<!\r)\n|\r(?!\n)/.test(found)) {
    return err('expected the same line end on every line, found several kinds');
  }
  const text = isCrlf ? found.replaceAll('\r\n', '\n') : found;
  const body = text.split('\n').slice(1, -2).join('');
  const bytes = decodeBase64url(body);
  // Equality decides; the rest only explains.
  return bytes !== undefined && text === writeArmour(label, bytes)
    ? ok(bytes)
    : err(explain(text, label));
}

/** Which kind of document a file says it is, by its first line alone. */
export function findLabel(file: Uint8Array): DocumentLabel | undefined {
  const start = Buffer.from(file.subarray(0, 2 * LINE_CHARACTERS)).toString('latin1');
  return labels.find((label) => new RegExp(`^${beginLine(label)}\r?\n`).test(start));
}

function beginLine(label: DocumentLabel): string {
  return `-----BEGIN EDGE-INFER ${label}-----`;
}

function endLine(label: DocumentLabel): string {
  return `-----END EDGE-INFER ${label}-----`;
}

/** Why a text, with LF for line ends, is not armour of that label. */
function explain(text: string, label: DocumentLabel): string {
  const lines = text.split('\n');
  const begin = beginLine(label);
  const other = labels.find((name) => lines[0] === beginLine(name));
  if (other !== undefined && other !== label) {
    return `expected a ${label}, found a ${other}`;
  }
  if (lines[0] !== begin) {
    return `line 1: expected "${begin}", found ${describeStart(text)}`;
  }
  const end = lines.indexOf(endLine(label));
  if (end === -1) {
    return 'expected the END line, found none; the file is cut short or still being written';
  }
  if (end !== lines.length - 2 || lines.at(-1) !== '') {
    const after = end === lines.length - 1 ? 'none' : 'more text';
    return `expected one line end after the END line, found ${after}`;
  }
  const body = lines.slice(1, end);
  const wrong = body.findIndex((line, index) => !isBodyLine(line, index === body.length - 1));
  return wrong === -1
    ? 'expected canonical base64url, found bits after the last byte'
    : `line ${wrong + 2}: expected ${LINE_CHARACTERS} characters A-Z a-z 0-9 - _, found ${describeLine(body[wrong] ?? '')}`;
}

function isBodyLine(line: string, isLast: boolean): boolean {
  const isFull = line.length === LINE_CHARACTERS;
  const isRest = isLast && line.length > 0 && line.length < LINE_CHARACTERS;
  return /^[\w-]*$/.test(line) && (isFull || isRest);
}

function describeLine(line: string): string {
  return /^[\w-]*$/.test(line) ? `${line.length} of them` : 'others';
}

function describeStart(text: string): string {
  if (text === '') {
    return 'an empty file';
  }
  if (text.startsWith('\xef\xbb\xbf')) {
    return 'a byte order mark before it; save the file without one';
  }
  if (text.startsWith('\xff\xfe') || text.startsWith('\xfe\xff')) {
    return 'UTF-16; save the file as plain ASCII text';
  }
  return 'something else';
}
