import type { Fault } from '../core/errors.ts';
import { ok, type Result } from '../core/result.ts';
import { unreadable } from './refusal.ts';

/** What a JPEG's frame header says. Components: 1 grey, 3 YCbCr or RGB, 4 CMYK or YCCK. */
export interface JpegHeader {
  readonly format: 'jpeg';
  readonly width: number;
  readonly height: number;
  readonly components: 1 | 3 | 4;
}

/** One marker segment's payload, without its length bytes. */
interface Segment {
  readonly marker: number;
  readonly start: number;
  readonly end: number;
}

/**
 * Scans of one image that are put up with, as in libvips: each costs time in proportion to the sides
 * and few bytes. Encoders write about ten.
 */
const scanLimit = 100;

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;
const DHT = 0xc4;
const DQT = 0xdb;
const DRI = 0xdd;
const APP1 = 0xe1;

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** Start of frame: SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== DHT && marker !== 0xc8 && marker !== 0xcc;
}

/** Markers without a segment: restarts, and TEM, which means nothing. */
function isBare(marker: number): boolean {
  return (marker >= 0xd0 && marker <= 0xd7) || marker === 0x01;
}

/** Finds the code of the next marker at or after `from`; -1 where there is none any more. */
export type FindMarker = (bytes: Uint8Array, from: number) => number;

/**
 * Passes over bytes that belong to no marker, stuffed (FF00) and filling (FFFF) ones. The addon has
 * the same in C++, for the thousands of stuffed bytes of a large image.
 */
function findMarker(bytes: Uint8Array, from: number): number {
  let at = bytes.indexOf(0xff, from);
  while (at !== -1) {
    let after = at + 1;
    while (bytes[after] === 0xff) after++;
    const marker = bytes[after];
    if (marker === undefined) return -1;
    if (marker !== 0) return after;
    at = bytes.indexOf(0xff, after + 1);
  }
  return -1;
}

/** The next marker at or after `from`: its code, and the offset after it. */
function nextMarker(
  bytes: Uint8Array,
  from: number,
  find: FindMarker,
): { marker: number; after: number } | undefined {
  const at = find(bytes, from);
  const marker = bytes[at];
  return marker === undefined ? undefined : { marker, after: at + 1 };
}

/** The segment whose length bytes stand at `at`; undefined where the file ends before it does. */
function segmentAt(bytes: Uint8Array, marker: number, at: number): Segment | undefined {
  const high = bytes[at];
  const low = bytes[at + 1];
  if (high === undefined || low === undefined) return undefined;
  const end = at + Math.max(2, high * 256 + low);
  return end > bytes.length ? undefined : { marker, start: at + 2, end };
}

/** Reads as far as the frame header; nothing is decoded. */
export function readJpegHeader(bytes: Uint8Array): Result<JpegHeader, Fault> {
  let at = 2;
  for (;;) {
    const found = nextMarker(bytes, at, findMarker);
    if (found === undefined) return unreadable('JPEG: the file ends before its frame header');
    const { marker, after } = found;
    if (marker === SOI || marker === EOI || marker === SOS) {
      return unreadable(`JPEG: marker ${hex(marker)} stands before the frame header`);
    }
    if (isBare(marker)) {
      at = after;
      continue;
    }
    const segment = segmentAt(bytes, marker, after);
    if (segment === undefined) {
      return unreadable('JPEG: the file ends inside a segment before its frame header');
    }
    if (isFrame(marker)) return readFrame(bytes, segment);
    at = segment.end;
  }
}

function readFrame(bytes: Uint8Array, segment: Segment): Result<JpegHeader, Fault> {
  const body = bytes.subarray(segment.start, segment.end);
  const [precision = 0, h1 = 0, h0 = 0, w1 = 0, w0 = 0, components = 0] = body;
  if (body.length < 6 || body.length !== 6 + components * 3) {
    return unreadable('JPEG: the frame header has a wrong length');
  }
  if (precision !== 8) return unreadable(`JPEG: expected 8 bits a sample, found ${precision}`);
  if (components !== 1 && components !== 3 && components !== 4) {
    return unreadable(`JPEG: expected 1, 3 or 4 components, found ${components}`);
  }
  const width = w1 * 256 + w0;
  const height = h1 * 256 + h0;
  if (width === 0 || height === 0) return unreadable(`JPEG: the sides are ${width}x${height}`);
  return ok({ format: 'jpeg', width, height, components });
}

/** What decoding needs to know of a whole file whose markers are in order. */
export interface JpegStructure {
  /** Payloads of the APP1 segments before the first scan, in order. */
  readonly app1: readonly Uint8Array[];
}

/**
 * Walks all markers to the end of the image, as libjpeg meets them. An end marker inside a segment (a
 * thumbnail's) or made up of stuffed bytes does not count. Refuses a file without its end marker.
 */
export function readJpegStructure(
  bytes: Uint8Array,
  header: JpegHeader,
  find: FindMarker = findMarker,
): Result<JpegStructure, Fault> {
  const app1: Uint8Array[] = [];
  let progressive = false;
  let restarts = false;
  let at = 2;
  for (;;) {
    const found = nextMarker(bytes, at, find);
    if (found === undefined) return unreadable('JPEG: the file ends before its first scan');
    const { marker, after } = found;
    // Pillow knows no marker below the frames', libjpeg does not expect an end here.
    if (marker < 0xc0 || marker === EOI) {
      return unreadable(`JPEG: marker ${hex(marker)} stands before the first scan`);
    }
    if (isBare(marker)) {
      at = after;
      continue;
    }
    const segment = segmentAt(bytes, marker, after);
    if (segment === undefined) return unreadable('JPEG: the file ends inside a segment');
    at = segment.end;
    if (marker === APP1) app1.push(bytes.subarray(segment.start, segment.end));
    if (marker === DRI) restarts = (bytes[after + 2] ?? 0) + (bytes[after + 3] ?? 0) > 0;
    if (isFrame(marker)) progressive = marker % 4 === 2;
    if (marker !== SOS) continue;
    const manyScans = progressive || bytes[segment.start] !== header.components;
    const problem = checkScans(bytes, segment.end, manyScans, restarts, find);
    return problem === undefined ? ok({ app1 }) : unreadable(`JPEG: ${problem}`);
  }
}

/** From the first scan's data to the end marker. Returns what is wrong, if anything. */
function checkScans(
  bytes: Uint8Array,
  start: number,
  manyScans: boolean,
  restarts: boolean,
  find: FindMarker,
): string | undefined {
  let at = start;
  let scans = 1;
  for (;;) {
    const found = nextMarker(bytes, at, find);
    const segment = found && segmentAt(bytes, found.marker, found.after);
    if (found?.marker === EOI) return undefined;
    // With restart intervals libjpeg looks for the next restart behind a false marker.
    if (found && (isBare(found.marker) || (restarts && found.marker < 0xc0))) {
      at = found.after;
      continue;
    }
    if (found && isUnexpected(found.marker, manyScans)) {
      return `marker ${hex(found.marker)} stands in the image data`;
    }
    if (segment === undefined) {
      // A false marker, made by damage, may seem to reach beyond the end. With one scan libjpeg has
      // all rows by then and does not mind (false tables apart: it looks into them); with several
      // it still waits for the others.
      const table = found?.marker === DHT || found?.marker === DQT;
      if (!manyScans && !table && hasEndMarker(bytes, start)) return undefined;
      return 'the end marker is missing (cut off?)';
    }
    if (found?.marker === SOS && ++scans > scanLimit) return `more than ${scanLimit} scans`;
    at = segment.end;
  }
}

/** Markers that libjpeg gives up on after the first scan. */
function isUnexpected(marker: number, manyScans: boolean): boolean {
  return (
    (marker > 0x01 && marker < 0xc0) ||
    isFrame(marker) ||
    marker === 0xc8 ||
    marker === 0xde ||
    marker === 0xdf ||
    marker === SOI ||
    (marker >= 0xf0 && marker <= 0xfd) ||
    (marker === SOS && !manyScans)
  );
}

function hasEndMarker(bytes: Uint8Array, from: number): boolean {
  for (let at = bytes.indexOf(0xff, from); at !== -1; at = bytes.indexOf(0xff, at + 1)) {
    if (bytes[at + 1] === EOI) return true;
  }
  return false;
}

function hex(marker: number): string {
  return `FF${marker.toString(16).toUpperCase().padStart(2, '0')}`;
}
