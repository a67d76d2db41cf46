import { chmod, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Result } from '../../src/core/result.ts';
import type { HostFacts } from '../../src/hardware/components.ts';
import { readHostFacts } from '../../src/hardware/read-host-facts.ts';
import { isOfThisHost, issueEvaluation } from '../../src/licensing/evaluation.ts';
import { emptyContent } from '../../src/licensing/record-content.ts';
import { hasUserNamespaces, runAsForger } from '../support/namespaces.ts';

/** A folder where a forger mounts a file system of their own to write to. */
const folder = await mkdtemp(join(tmpdir(), 'edge-infer-forged-'));
await chmod(folder, 0o755);
afterAll(() => rm(folder, { recursive: true }));

const here = await readHostFacts({ deadlineMs: 20_000 });
if (!here.ok) throw new Error(here.error);
const { components } = here.value;
const ownDigests = new Set(components.map(({ digest }) => digest));
const machineIds = ['/etc/machine-id', '/var/lib/dbus/machine-id'];
const present = await Promise.all(machineIds.map((path) => readFile(path).catch(() => undefined)));
const mountedIds = machineIds.filter((_, index) => present[index] !== undefined);

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const printFacts = `exec ${process.execPath} ${file('../licensing/print-facts.ts')}`;
const prepare = `mount -t tmpfs none ${folder}; cd ${folder}
  echo c0ffee00c0ffee11c0ffee22c0ffee33 > id
  sed 's/^model name.*/model name : Forged/' /proc/cpuinfo > cpuinfo`;
const bindIds = mountedIds.map((path) => `mount --bind id ${path}; cmp id ${path}`).join('\n');
const bindCpu = 'mount --bind cpuinfo /proc/cpuinfo; grep -q Forged /proc/cpuinfo';

async function readForged(script: string): Promise<HostFacts> {
  const output = await runAsForger(`${prepare}\n${script}\n${printFacts}`);
  const facts = JSON.parse(output) as Result<HostFacts, string>;
  if (!facts.ok) throw new Error(facts.error);
  return facts.value;
}

/** Each makes sure that a program which just reads is deceived. */
const forgeries: Record<string, string> = {
  'files over the machine ids': bindIds,
  'a folder over /etc': `mount -t tmpfs none /etc; ln -s ${folder}/id /etc/machine-id
    cmp id /etc/machine-id`,
  'a file over that of the processor': bindCpu,
  'a file that was mounted elsewhere, then moved': `touch moved; mount --bind cpuinfo moved
    mount -t proc proc /proc; mount -n --move moved /proc/cpuinfo; grep -q Forged /proc/cpuinfo`,
  "another process' view of the mounts": `unshare --mount sleep 60 & sleep 0.3
    mkdir real; mount --rbind /proc real; mount -t tmpfs none /proc
    ln -s ${folder}/real/$! /proc/self; cp cpuinfo /proc; grep -q Forged /proc/cpuinfo`,
  'digests that look like those of root': `echo a5c3f0e1-0000-4000-8000-c0ffee000001 > boot
    mount --bind boot /proc/sys/kernel/random/boot_id; mount -t tmpfs none /run
    ${process.execPath} --input-type=module-typescript -e '
      import { writeRootDigests } from "${file('../../src/hardware/root-digests.ts')}";
      const kinds = ["product-uuid", "board-serial", "product-serial", "root-disk"];
      await writeRootDigests(kinds.map((kind) => ({ kind, digest: "c0ffee00".repeat(8) })));'
    test "$(stat -c %u /run/edge-infer-hardware/hardware.json)" = 0`,
};
forgeries['digests that look like those of root, of this boot'] = (
  forgeries['digests that look like those of root'] as string
).replace(/^.*\n.*boot_id; /, '');

describe.skipIf(!hasUserNamespaces)('users without root forge', () => {
  test.each(Object.entries(forgeries))('%s', async (_name, script) => {
    const forged = await readForged(script);
    const digests = forged.components.map(({ digest }) => digest);
    expect([...new Set(digests).difference(ownDigests)]).toEqual([]);
  });

  test('and are told what does not count', async () => {
    const { notes, unreadable } = await readForged(`${bindIds}\n${bindCpu}`);
    const because = 'does not count: something else is mounted over it';
    expect(notes).toContain(`/proc/cpuinfo ${because}`);
    expect(notes).toEqual(expect.arrayContaining(mountedIds.map((path) => `${path} ${because}`)));
    expect(unreadable).toContain('cpu-model');
  });

  test.each([
    ['what is no hardware', `${bindIds}\n${bindCpu}`],
    ['the same, and hide the rest', `${bindIds}\n${bindCpu}\nmount -t tmpfs none /sys`],
  ])('%s, which begins no other evaluation', async (_name, script) => {
    const evaluation = issueEvaluation(emptyContent, components);
    const forged = await readForged(script);
    expect(isOfThisHost(evaluation, forged.components)).toBe(true);
  });
});
