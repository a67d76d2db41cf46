/**
 * A disk that never answers: serves the file system of `/dev/fuse`, open as file 3, up to its
 * greeting, and takes every other request without an answer. Whoever asks waits in the kernel, where
 * no signal reaches them.
 */
import { readSync, writeSync } from 'node:fs';

const FUSE = 3;
/** `FUSE_INIT` of linux/fuse.h. */
const GREETING = 26;
const HEADER_BYTES = 16;
const GREETING_BYTES = 64;
const LARGEST_REQUEST_BYTES = 1024 * 1024;

const request = Buffer.alloc(LARGEST_REQUEST_BYTES);
for (;;) {
  readSync(FUSE, request);
  if (request.readUInt32LE(4) !== GREETING) continue;
  // struct fuse_out_header: length, error, the request's number; struct fuse_init_out: version 7.31.
  const answer = Buffer.alloc(HEADER_BYTES + GREETING_BYTES);
  answer.writeUInt32LE(answer.length, 0);
  request.copy(answer, 8, 8, 16);
  answer.writeUInt32LE(7, HEADER_BYTES);
  answer.writeUInt32LE(31, HEADER_BYTES + 4);
  answer.writeUInt32LE(4096, HEADER_BYTES + 20); // the largest write
  writeSync(FUSE, answer);
}
