/** The whole service inside its sandbox: it answers as outside, and the sandbox holds. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import manifest from '../../models/efficientnet-lite0/manifest.json' with { type: 'json' };
import { type Feature, findMissingFeatures } from '../../scripts/systemd-lab/features.ts';
import { packageRoot } from '../support/server.ts';
import { ADMIN, bootServiceLab, type ServiceLab, tell } from './support/service-lab.ts';

const SCORE_TOLERANCE = 1e-4;

let lab: ServiceLab;
let missing: ReadonlySet<Feature>;

beforeAll(async () => {
  lab = await bootServiceLab();
  missing = await findMissingFeatures(lab);
  for (const feature of missing) {
    tell(`NOT CHECKED: ${feature} does nothing on this machine`);
  }
  await lab.sh('systemctl start edge-infer.service');
  await lab.waitUntilReady();
});

afterAll(() => lab[Symbol.asyncDispose]());

interface Answer {
  readonly results?: readonly { readonly name: string; readonly score: number }[];
  readonly error_code?: number;
}

async function post(body: unknown, deployName?: string): Promise<Answer> {
  const text = typeof body === 'string' ? body : JSON.stringify(body);
  return (await lab.post(text, deployName)) as Answer;
}

test.each(manifest.golden.examples)('classifies $image as recorded', async ({ image, top }) => {
  const photo = await readFile(join(packageRoot, 'models/efficientnet-lite0', image));
  const { results = [] } = await post({ image: photo.toString('base64'), top_num: top.length });
  expect(results.map(({ name }) => name)).toEqual(top.map(({ name }) => name));
  for (const [place, { score }] of results.entries()) {
    expect(Math.abs(score - (top[place]?.score ?? Number.NaN))).toBeLessThan(SCORE_TOLERANCE);
  }
});

test("answers what cannot be classified with the contract's codes", async () => {
  expect(await post('image=')).toMatchObject({ error_code: 336002 });
  expect(await post({})).toMatchObject({ error_code: 336006 });
  expect(await post({ image: '*' })).toMatchObject({ error_code: 336003 });
  expect(await post({ image: 'AAAA' })).toMatchObject({ error_code: 336005 });
  expect(await post({ image: 5 })).toMatchObject({ error_code: 336001 });
  expect(await post({}, 'nothing')).toMatchObject({ error_code: 3 });
});

test('takes its sockets from systemd, the prepared model and the native bindings', async () => {
  expect(JSON.parse(await lab.sh(`curl -s ${ADMIN}/readyz`))).toMatchObject({
    services: [{ imaging: 'native', weights: 'shared by all workers' }],
  });
  expect(await lab.sh("ss -ltnp '( sport = :24401 or sport = :24402 )'")).toMatch(
    /("systemd"[\s\S]*){2}/,
  );
  const log = await lab.sh('journalctl -u edge-infer.service -o cat');
  expect(log).not.toMatch(/portable|cannot be written|EPERM|EACCES/);
});

test('has no privilege, and cannot get one', async () => {
  const status = await lab.sh('cat /proc/$(systemctl show --value -p MainPID edge-infer)/status');
  const read = (name: string) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)?.[1];
  expect(read('CapEff')).toBe('0000000000000000');
  expect(read('CapBnd')).toBe('0000000000000000');
  expect(read('NoNewPrivs')).toBe('1');
  expect(read('Seccomp')).toBe('2');
  expect(read('Uid')).toMatch(/^6\d{4}\s/); // of those that systemd gives out
});

/** Runs a line of shell as the service's user in what the service sees, without its other bounds. */
function runInside(line: string) {
  return lab.run(
    `pid=$(systemctl show --value -p MainPID edge-infer); exec nsenter -t $pid -m -S $(stat -c %u /proc/$pid) -- sh -c '${line}'`,
  );
}

test('writes to its own folders alone, and runs nothing from there', async () => {
  for (const folder of ['/etc', '/opt/edge-infer/releases', '/usr/local', '/var/log']) {
    expect((await runInside(`: > ${folder}/mark`)).code, folder).not.toBe(0);
  }
  for (const folder of [
    '/var/lib/edge-infer',
    '/var/lib/edge-infer-records',
    '/var/cache/edge-infer',
    '/tmp',
    '/dev/shm',
  ]) {
    const tried = await runInside(
      `cp /usr/bin/true ${folder}/program && { ${folder}/program; echo $?; rm ${folder}/program; }`,
    );
    expect(tried.stdout.trim(), folder).toBe('126'); // there, and not to be executed
  }
});

test('its control group holds the limits of the unit', async () => {
  expect(await lab.show('TasksMax')).toBe('4096');
  const totalBytes = 1024 * Number(await lab.sh("awk '/^MemTotal/ {print $2}' /proc/meminfo"));
  expect(Number(await lab.show('MemoryMax')) / totalBytes).toBeCloseTo(0.85, 1);
  expect(await lab.show('LimitCORE')).toBe('0');
});

test('nothing leaves for the internet', async ({ skip }) => {
  skip(missing.has('IPAddressDeny='), 'no control groups with BPF on this machine');
  // An address of the internet on this very machine: only the unit's list keeps it out.
  await lab.sh('ip address add 198.51.100.1/32 dev lo; ip address add 10.9.9.9/32 dev lo');
  const call = (address: string) =>
    lab.run(
      `systemd-run -q --wait -p IPAddressDeny=any -p "IPAddressAllow=$(systemctl show --value -p IPAddressAllow edge-infer)" curl -s -m 2 http://${address}:9/`,
    );
  expect((await call('10.9.9.9')).code).toBe(7); // let out, and refused by nobody listening
  expect((await call('198.51.100.1')).code).not.toBe(7);
});
