import { createHash } from 'node:crypto';
import { err, ok, type Result } from '../core/result.ts';
import {
  type ComponentKind,
  componentKinds,
  type HostFacts,
  type MachineKind,
} from '../hardware/components.ts';
import { type OfferedHardware, offerHardware } from './compose.ts';

/** What an operator sends to the vendor: salted hashes of hardware, and the host's own key. */
export interface LicenseRequest extends OfferedHardware {
  /** Ed25519 public key of this host, 32 bytes, base64url. */
  readonly holder: string;
}

const VERSION = 1;
const SALT_BYTES = 16;
const HOLDER_BYTES = 32;
const HASH_BYTES = 8;
const CHECKSUM_BYTES = 4;
/** Version, machine and counts. */
const HEAD_BYTES = 2 + componentKinds.length + 1;
/** Their order is part of the format; so is that of `componentKinds`. */
const machines: readonly MachineKind[] = ['bare-metal', 'virtual', 'container'];

/** @param salt 16 bytes, base64url: random, new for each request */
export function createRequest(facts: HostFacts, holder: string, salt: string): LicenseRequest {
  return { ...offerHardware(facts, salt), holder };
}

/**
 * The one compact form that file, groups and QR code carry: version, machine, how many of each kind
 * of component, how many graphics cards (a byte each), holder (32 bytes), salt (16), the hashes in
 * the same order (8 each), and the first 4 bytes of the SHA-256 of all that.
 */
export function encodeRequest(request: LicenseRequest): Buffer {
  const { salt, holder, machine, components, gpus } = request;
  const ofKind = (kind: ComponentKind) => components.filter((one) => one.kind === kind);
  const hashes = [...componentKinds.flatMap(ofKind).map(({ hash }) => hash), ...gpus];
  const content = Buffer.concat([
    Buffer.from([VERSION, machines.indexOf(machine)]),
    Buffer.from([...componentKinds.map((kind) => ofKind(kind).length), gpus.length]),
    ...[holder, salt, ...hashes].map((text) => Buffer.from(text, 'base64url')),
  ]);
  return Buffer.concat([content, checksum(content)]);
}

/** Reads what `encodeRequest` wrote, and nothing else. The error is a sentence. */
export function decodeRequest(bytes: Buffer): Result<LicenseRequest, string> {
  const [version, machineIndex, ...rest] = bytes;
  if (version !== VERSION) {
    return err(`expected a request of version ${VERSION}, found ${version ?? 'nothing'}`);
  }
  const counts = rest.slice(0, componentKinds.length + 1);
  const expected = lengthOf(counts);
  if (bytes.length !== expected) {
    return err(
      `expected ${expected} bytes by what the request says of itself, found ${bytes.length}`,
    );
  }
  const content = bytes.subarray(0, -CHECKSUM_BYTES);
  const machine = machines[machineIndex ?? -1];
  if (!checksum(content).equals(bytes.subarray(-CHECKSUM_BYTES)) || machine === undefined) {
    return err('expected the sum of the request at its end, found another: a part of it is wrong');
  }
  let at = HEAD_BYTES;
  const take = (length: number) => {
    at += length;
    return content.toString('base64url', at - length, at);
  };
  const holder = take(HOLDER_BYTES);
  const salt = take(SALT_BYTES);
  const components = componentKinds.flatMap((kind, index) =>
    Array.from({ length: counts[index] ?? 0 }, () => ({ kind, hash: take(HASH_BYTES) })),
  );
  const gpus = Array.from({ length: counts.at(-1) ?? 0 }, () => take(HASH_BYTES));
  return ok({ salt, machine, components, gpus, holder });
}

/** How many bytes a request has whose first bytes are `start`; undefined where these are too few. */
export function expectedLength(start: Buffer): number | undefined {
  return start.length < HEAD_BYTES ? undefined : lengthOf([...start.subarray(2, HEAD_BYTES)]);
}

function lengthOf(counts: readonly number[]): number {
  const hashCount = counts.reduce((sum, count) => sum + count, 0);
  return HEAD_BYTES + HOLDER_BYTES + SALT_BYTES + HASH_BYTES * hashCount + CHECKSUM_BYTES;
}

function checksum(content: Uint8Array): Buffer {
  return createHash('sha256').update(content).digest().subarray(0, CHECKSUM_BYTES);
}
