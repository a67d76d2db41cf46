import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { writeOtherHostScript } from '../../support/other-host.ts';
import { nodeOptions } from '../../support/run-cli.ts';
import { createOperator, type JsonStatus, readJsonStatus } from './operator-fixture.ts';

const operator = await createOperator();
const { home, run, claims, write, release, binding, environment } = operator;
const kinds = binding.fp.components.map(({ k }) => k);
const isRoot = process.geteuid?.() === 0;
const namespaces = [...(isRoot ? [] : ['--map-root-user']), '--mount', '--net'];
const canUnshare = spawnSync('unshare', [...namespaces, 'true']).status === 0;
const weight = new Map(binding.fp.components.map(({ k, w }) => [k, w]));
const of = weight.values().reduce((total, one) => total + one, 0);

/** The same installation in a chroot with another machine id and a network of another address. */
async function readStatusElsewhere(): Promise<{
  json: JsonStatus;
  text: string;
  code: number | null;
}> {
  // Disk and firmware cannot be made others here: the latter is hidden, the former is the same.
  const script = await writeOtherHostScript(
    home,
    (
      root,
    ) => `if [ -d ${root}/sys/class/dmi/id/ ]; then mount -t tmpfs none ${root}/sys/class/dmi/id/; fi
    exec chroot ${root} sh -c 'cd "$0" && exec "$@"' ${home} "$0" "$@"`,
  );
  const look = (...more: readonly string[]) =>
    spawnSync(
      'unshare',
      [
        ...[...namespaces, 'sh', '-ec', script, process.execPath],
        ...[join(release, 'src/cli/main.ts'), 'license', 'status', ...more],
      ],
      {
        cwd: home,
        encoding: 'utf8',
        env: { ...process.env, ...environment, NODE_OPTIONS: nodeOptions },
      },
    );
  const { stdout, stderr, status: code } = look('--json');
  if (!stdout.startsWith('{')) throw new Error(stderr);
  return { json: JSON.parse(stdout) as JsonStatus, text: look().stdout, code };
}

test('a licence made for this host is accepted on it', async () => {
  await write(claims({ kind: 'permanent', lic_id: 'lic-sold', container: 'allow' }), 'sold.lic');
  expect(await run('license', 'install', 'sold.lic')).toMatchObject({ exitCode: 0, stderr: '' });
  const { status } = await readJsonStatus(operator);
  expect(status.services).toMatchObject([{ state: 'VALID', match: { score: of, of } }]);
});

const score = (weight.get('cpu-model') ?? 0) + (weight.get('root-disk') ?? 0);

test.skipIf(!canUnshare || score >= binding.fp.need)(
  'the same file is refused where machine id and network are others, with the score',
  async () => {
    const { json, text, code } = await readStatusElsewhere();
    const { need } = binding.fp;
    expect(code).toBe(1);
    expect(json.services).toMatchObject([
      { state: 'HARDWARE_MISMATCH', isServed: false, match: { score, of, need } },
    ]);
    const components = json.services[0]?.match?.components ?? [];
    expect(components.map(({ kind }) => kind).toSorted()).toEqual([...new Set(kinds)].toSorted());
    expect(components).toContainEqual({ kind: 'machine-id', matches: false, found: 'other' });
    expect(text).toMatch(/^imagenet: HARDWARE_MISMATCH, requests are refused with 337000\n/);
    expect(text).toContain(`  Hardware: ${score} of ${of} match, ${need} are needed.\n`);
    expect(text).toMatch(/ {4}machine-id +other\n/);
  },
);
