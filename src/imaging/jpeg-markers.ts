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

const SOI = 0xd8;
const EOI = 0xd9;
const SOS = 0xda;

export function isJpeg(bytes: Uint8Array): boolean {
  return bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff;
}

/** Start of frame: SOF0 to SOF15 without DHT (C4), JPG (C8) and DAC (CC). */
function isFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

function isRestart(marker: number): boolean {
  return marker >= 0xd0 && marker <= 0xd7;
}

/**
 * The next marker at or after `from`: its code, and the offset after it. Bytes that belong to no
 * marker are passed over, as are stuffed (FF00) and filling (FFFF) ones.
 */
function nextMarker(
  bytes: Uint8Array,
  from: number,
): { marker: number; after: number } | undefined {
  let at = bytes.indexOf(0xff, from);
  while (at !== -1) {
    let after = at + 1;
    while (bytes[after] === 0xff) after++;
    const marker = bytes[after];
    if (marker === undefined) return undefined;
    if (marker !== 0) return { marker, after: after + 1 };
    at = bytes.indexOf(0xff, after + 1);
  }
  return undefined;
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
    const found = nextMarker(bytes, at);
    if (found === undefined) return unreadable('JPEG: the file ends before its frame header');
    const { marker, after } = found;
    if (marker === SOI || marker === EOI || marker === SOS) {
      return unreadable(`JPEG: marker ${hex(marker)} stands before the frame header`);
    }
    if (isRestart(marker) || marker === 0x01) {
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
  /** An Adobe marker (APP14) is there: libjpeg and libvips then both take CMYK for inverted. */
  readonly adobe: boolean;
  /** Payloads of the APP1 segments before the first scan, in order. */
  readonly app1: readonly Uint8Array[];
}

/**
 * Walks all markers to the end of the image. An end marker inside a segment (a thumbnail's) or made
 * up of stuffed bytes does not count. Refuses a file without its end marker.
 */
export function readJpegStructure(bytes: Uint8Array): Result<JpegStructure, Fault> {
  let at = 2;
  let scans = 0;
  let adobe = false;
  const app1: Uint8Array[] = [];
  for (;;) {
    const found = nextMarker(bytes, at);
    if (found === undefined) return unreadable('JPEG: the end marker is missing (cut off?)');
    const { marker, after } = found;
    at = after;
    if (marker === EOI) break;
    if (isRestart(marker) || marker === 0x01) continue;
    const segment = segmentAt(bytes, marker, after);
    if (segment === undefined) return unreadable('JPEG: the file ends inside a segment');
    at = segment.end;
    if (marker === SOS) scans++;
    if (scans > 0) continue;
    const body = bytes.subarray(segment.start, segment.end);
    if (marker === 0xe1) app1.push(body);
    if (marker === 0xee && body.length >= 12 && startsWith(body, 'Adobe')) adobe = true;
  }
  if (scans === 0) return unreadable('JPEG: no scan before the end marker');
  return ok({ adobe, app1 });
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    if (bytes[i] !== text.charCodeAt(i)) return false;
  }
  return true;
}

function hex(marker: number): string {
  return `FF${marker.toString(16).toUpperCase().padStart(2, '0')}`;
}
