import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { collectRootDigests } from '../../src/hardware/collect-root-digests.ts';
import type { Component } from '../../src/hardware/components.ts';
import { readHost } from '../../src/hardware/host-reader.ts';
import { readRootDigests, writeRootDigests } from '../../src/hardware/root-digests.ts';
import { hostFiles, type SystemFiles } from '../../src/hardware/system-files.ts';
import { createRequest } from '../../src/licensing/request.ts';
import { load, readRecordedHost, recordedFiles } from '../support/recorded-host.ts';

const folder = await mkdtemp(join(tmpdir(), 'edge-infer-digests-'));
const path = join(folder, 'run', 'hardware.json');
afterAll(() => rm(folder, { recursive: true }));

const holder = Buffer.alloc(32, 1).toString('base64url');
const salt = Buffer.alloc(16, 2).toString('base64url');

const { components } = await readRecordedHost('bare-metal');
await writeRootDigests(components, path);
const written = await readFile(path, 'utf8');

/** The file as root would have written it, whoever runs this test. */
const ownedBy = (userId: number, mode: number, folderMode = 0o40755): SystemFiles => ({
  ...hostFiles,
  ownership: (place) =>
    place.startsWith(folder)
      ? { userId, mode: place === path ? mode : folderMode }
      : { userId: 0, mode: 0o100444 },
});

test('what root wrote is read back, and nobody else may change it', async () => {
  const reading = readRootDigests(ownedBy(0, 0o100640), path);
  expect(reading).toEqual({
    state: 'read',
    components: components.filter(({ kind }) =>
      ['product-uuid', 'board-serial', 'product-serial', 'root-disk'].includes(kind),
    ),
  });
  expect((await stat(path)).mode & 0o777).toBe(0o644 & ~process.umask());
  expect((await stat(dirname(path))).mode & 0o777).toBe(0o755 & ~process.umask());
});

test.each<[string, SystemFiles, RegExp]>([
  ['of another user', ownedBy(1000, 0o100640), /not owned by root/],
  ['that its group may write', ownedBy(0, 0o100660), /others than root may change it/],
  ['that everybody may write', ownedBy(0, 0o100642), /others than root may change it/],
  ['in a folder for everybody', ownedBy(0, 0o100640, 0o41777), /others than root may change it/],
])('a file %s is refused', (_, files, reason) => {
  expect(readRootDigests(files, path)).toEqual({
    state: 'refused',
    reason: expect.stringMatching(reason),
  });
});

test.each<[string, string | { denied: true }, RegExp]>([
  ['that is no JSON', '{"v":1', /is damaged/],
  ['without digests', '{"v":1,"components":[{}],"mac":""}', /is damaged/],
  ['that may not be read', { denied: true }, /may not be read/],
  ['of another boot', written, /not written since this host started/],
  ['that was edited', written.replace(/"digest":"./, '"digest":"0'), /not written since/],
])('a file %s is refused', (_, content, reason) => {
  const files = recordedFiles({ ...load('bare-metal').files, [path]: content });
  expect(readRootDigests(files, path)).toEqual({
    state: 'refused',
    reason: expect.stringMatching(reason),
  });
});

test('a file of root is refused where somebody else is root', () => {
  const files: SystemFiles = {
    ...ownedBy(0, 0o100644),
    ownership: (place) => ({ userId: place.startsWith('/proc/') ? 65534 : 0, mode: 0o100644 }),
  };
  expect(readRootDigests(files, path)).toEqual({
    state: 'refused',
    reason: `${path} is not used: root is not the host's own here`,
  });
});

test('there need not be one', () => {
  expect(readRootDigests(hostFiles, join(folder, 'none.json'))).toEqual({ state: 'missing' });
});

test('a service without root knows its host by what root left', async () => {
  const { files } = load('without-root');
  const bootId = await readFile('/proc/sys/kernel/random/boot_id', 'utf8');
  const read = (content: string) =>
    readHost({
      files: recordedFiles({
        ...files,
        '/proc/sys/kernel/random/boot_id': bootId,
        [path]: content,
      }),
      run: async () => undefined,
      isRoot: false,
      rootDigestsFile: path,
    });
  const facts = await read(written);
  expect(facts.components).toEqual(components);
  expect(facts.unreadable).toEqual([]);
  const refused = await read('damaged');
  expect(refused.notes).toContain(`${path} is damaged`);
  expect(refused.unreadable).toEqual(['product-uuid', 'board-serial', 'product-serial']);
});

const hostNames = ['bare-metal', 'lvm-on-nvme', 'many-interfaces', 'oem-placeholders', 'kvm'];

test.each([...hostNames, 'vmware', 'hyper-v', 'ec2', 'container'])(
  'root and a service ask for the same licence: %s',
  async (name) => {
    const asRoot = await readRecordedHost(name);
    const recorded = join(folder, name, 'hardware.json');
    await writeRootDigests(asRoot.components, recorded);
    const { files: all, programs = {} } = load(name);
    const rootOnly = /\/(product_uuid|product_serial|board_serial)$/;
    const denied = Object.entries(all).flatMap(([file, entry]) =>
      rootOnly.test(file) && entry !== null ? [[file, { denied: true } as const]] : [],
    );
    const files = recordedFiles({
      ...all,
      ...Object.fromEntries(denied),
      '/proc/sys/kernel/random/boot_id': await readFile('/proc/sys/kernel/random/boot_id', 'utf8'),
      [recorded]: await readFile(recorded, 'utf8'),
    });
    const run = async (program: string, words: readonly string[]) =>
      programs[[program, ...words].join(' ')];
    const before = await readHost({ files, run, isRoot: false, rootDigestsFile: '/none' });
    const after = await readHost({ files, run, isRoot: false, rootDigestsFile: recorded });
    const request = (facts: typeof asRoot) => createRequest(facts, holder, salt);
    expect(request(after)).toEqual(request(asRoot));
    const isFirmware = ({ kind }: Component) => /^(product|board)/.test(kind);
    expect(before.components).toEqual(asRoot.components.filter((one) => !isFirmware(one)));
  },
);

test.runIf(process.getuid?.() === 0)('root collects what it may read of this host', async () => {
  const collected = join(folder, 'collected', 'hardware.json');
  const kinds = await collectRootDigests({ deadlineMs: 20_000, rootDigestsFile: collected });
  if (!kinds.ok) throw new Error(kinds.error);
  const files = ownedBy(0, 0o100640);
  const reading = readRootDigests(files, collected);
  expect(reading).toHaveProperty('state', 'read');
  expect('components' in reading && reading.components.map(({ kind }) => kind)).toEqual(
    kinds.value,
  );
});

test('what cannot be written is told', async () => {
  const rootDigestsFile = join(path, 'hardware.json'); // below a file
  const outcome = await collectRootDigests({ deadlineMs: 20_000, rootDigestsFile });
  expect(outcome).toEqual({ ok: false, error: expect.stringMatching(/could not be written/) });
});
