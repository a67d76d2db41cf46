import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { Result } from '../../src/core/result.ts';
import type { HostFacts } from '../../src/hardware/components.ts';
import { hasMounts } from '../support/has-mounts.ts';
import { mainFile, nodeOptions, runCli } from '../support/run-cli.ts';

const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const node = process.execPath;
const printFacts = `${node} ${file('../licensing/print-facts.ts')}`;
const asService = `setpriv --reuid ${NOBODY} --regid ${NOBODY} --clear-groups`;

/** Runs a script as root, with a `/run` of its own. */
async function runAsRoot(script: string): Promise<string[]> {
  const mount = 'mount -t tmpfs -o mode=755 none /run';
  const env = { PATH: process.env.PATH, NODE_OPTIONS: nodeOptions };
  const command = ['--mount', 'sh', '-ec', `umask 022; ${mount}\n${script}`];
  const { stdout } = await promisify(execFile)('unshare', command, { env, timeout: 60_000 });
  return stdout.trim().split('\n');
}

function readFacts(line: string | undefined): HostFacts {
  const facts = JSON.parse(line ?? '') as Result<HostFacts, string>;
  if (!facts.ok) throw new Error(facts.error);
  return facts.value;
}

test.runIf(hasMounts)(
  'a service knows its host as root does once root has recorded it',
  async () => {
    const [told, asRoot, asUser] = await runAsRoot(`
    ${node} ${mainFile} hardware record
    ${printFacts}; echo
    ${asService} ${printFacts}`);
    expect(told).toMatch(/hardware\.json/);
    const { components, machine } = readFacts(asRoot);
    const ofService = readFacts(asUser);
    expect(ofService).toMatchObject({ components, machine });
  },
);

test.runIf(hasMounts)(
  'what root alone can know reaches the service, by its default place',
  async () => {
    const digest = '5e'.repeat(32);
    const [asUser, stranger] = await runAsRoot(`
    ${node} --input-type=module-typescript --eval '
      import { writeRootDigests } from "${file('../../src/hardware/root-digests.ts')}";
      await writeRootDigests([{ kind: "board-serial", digest: "${digest}" }]);'
    ${asService} ${printFacts}; echo
    chown ${NOBODY} /run/edge-infer-hardware
    ${asService} ${printFacts}`);
    expect(readFacts(asUser).components).toContainEqual({ kind: 'board-serial', digest });
    expect(readFacts(stranger).components).not.toContainEqual({ kind: 'board-serial', digest });
    expect(readFacts(stranger).notes.join('\n')).toMatch(/not owned by root/);
  },
);

test('only root records', async () => {
  const user = isRoot ? { user: NOBODY } : {};
  const { exitCode, stdout, stderr } = await runCli(['hardware', 'record'], user);
  expect({ exitCode, stdout }).toEqual({ exitCode: 71, stdout: '' });
  expect(stderr).toMatch(/^edge-infer: only root may read .* run this as root/);
});
