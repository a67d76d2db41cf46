import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, expect, test } from 'vitest';
import type { Result } from '../../src/core/result.ts';
import type { HostFacts } from '../../src/hardware/components.ts';
import { readHostFacts } from '../../src/hardware/read-host-facts.ts';
import { composeHostFingerprint, offerHardware } from '../../src/licensing/compose.ts';
import { matchFingerprint } from '../../src/licensing/match.ts';
import { writeOtherHostScript } from '../support/other-host.ts';

const execute = promisify(execFile);
const namespaces = ['--map-root-user', '--mount', '--net'];
const hasNamespaces = spawnSync('unshare', [...namespaces, 'true']).status === 0;
const options = { allowsContainer: true };
const folder = await mkdtemp(join(tmpdir(), 'edge-infer-other-host-'));
afterAll(() => rm(folder, { recursive: true }));

const here = await readHostFacts({ deadlineMs: 20_000 });
if (!here.ok) throw new Error(here.error);
const salt = Buffer.alloc(16, 1).toString('base64url');
const fingerprint = composeHostFingerprint(offerHardware(here.value, salt), { strict: false });
if (!fingerprint.ok) throw new Error(fingerprint.error);

test('a licence made for this host is accepted on it', () => {
  const { ok, score, of } = matchFingerprint(fingerprint.value, here.value, options);
  expect({ ok, score }).toEqual({ ok: true, score: of });
});

test.skipIf(!hasNamespaces)('and refused where hardware and installation are others', async () => {
  const script = await writeOtherHostScript(folder, (root) => `exec chroot ${root} "$0" "$1"`);
  const program = [process.execPath, fileURLToPath(new URL('./print-facts.ts', import.meta.url))];
  const { stdout } = await execute('unshare', [...namespaces, 'sh', '-ec', script, ...program]);
  const there = JSON.parse(stdout) as Result<HostFacts, string>;
  if (!there.ok) throw new Error(there.error);

  // Disk and firmware cannot be made others here; they are left out, as in a host that tells none.
  const isReal = ({ kind }: HostFacts['components'][number]) =>
    ['network-card', 'machine-id', 'cpu-model'].includes(kind);
  const facts: HostFacts = { ...there.value, components: there.value.components.filter(isReal) };
  const match = matchFingerprint(fingerprint.value, facts, options);
  expect(match).toMatchObject({ ok: false, failure: 'HARDWARE_MISMATCH', score: 1 });
  const found = Object.fromEntries(match.components.map((one) => [one.kind, one.found ?? 'same']));
  const kinds = new Set(here.value.components.map(({ kind }) => kind));
  expect(found['cpu-model']).toBe('same');
  expect(found['network-card']).toBe(kinds.has('network-card') ? 'none' : undefined);
  expect(found['machine-id']).toBe(kinds.has('machine-id') ? 'other' : undefined);
});
