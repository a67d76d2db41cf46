/** What systemctl and the journal tell of the service, and what they pass on to it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import { classifier, writeClassifier } from '../support/onnx-model.ts';
import { ADMIN, bootServiceLab, type ServiceLab, tell } from './support/service-lab.ts';

const CONFIG = '/etc/edge-infer/edge-infer.yaml';
const MODELS = '/opt/edge-infer/models';
const WATCHDOG_MS = 10_000;

let lab: ServiceLab;

beforeAll(async () => {
  lab = await bootServiceLab();
  await lab.write(CONFIG, 'services: [{ deployName: imagenet, model: efficientnet-lite0 }]\n');
});

afterAll(() => lab[Symbol.asyncDispose]());

const readStatus = async () => {
  const text = await lab.show('StatusText');
  tell(`Status: "${text}"`);
  return text;
};

const readJournal = (filter = '') =>
  lab.sh(`journalctl -u edge-infer.service -o cat --no-pager ${filter}`);

test('says that it loads, then what it serves, on what and by which licence', async () => {
  const statuses = await lab.sh(`
    systemctl start --no-block edge-infer.service
    until [ "$(systemctl is-active edge-infer.service)" = active ]; do
      systemctl show --value -p StatusText edge-infer.service
    done | uniq`);
  tell(`while starting: ${statuses.trim()}`);
  expect(statuses).toMatch(/^Loading: imagenet.* · version 0\.1\.0$/m);
  expect(await readStatus()).toMatch(
    /^Ready: imagenet \(efficientnet-lite0, cpu\) · evaluation, 30 days left · version 0\.1\.0$/,
  );
});

test('lines in the journal carry the name of the program and a priority', async () => {
  expect(await lab.sh('journalctl -t edge-infer -p info -o cat')).toContain('listening {');
  expect(await readJournal('-p warning')).not.toContain('listening');
});

test("what root's unit found of the hardware is what the service goes by", async () => {
  expect(await lab.show('Result', 'edge-infer-hardware.service')).toBe('success');
  expect(await lab.show('ActiveState', 'edge-infer-hardware.service')).toBe('active');
  expect(await lab.sh("stat -c '%U %a' /run/edge-infer-hardware/hardware.json")).toBe('root 644');
  const found = (text: string) => text.split('\n').filter((line) => /found:/i.test(line));
  const byRoot = await lab.sh('edge-infer license request');
  const byService = await lab.sh(
    'pid=$(systemctl show --value -p MainPID edge-infer); EDGE_INFER_LICENSE__RECORDS_DIR=/var/lib/edge-infer-records EDGE_INFER_STATE_DIR=/var/lib/edge-infer nsenter -t $pid -m -S $(stat -c %u /proc/$pid) -- edge-infer license request',
  );
  expect(found(byRoot)).not.toEqual([]);
  expect(found(byService)).toEqual(found(byRoot));
});

test('a reload that is taken up is done when systemctl returns', async () => {
  await lab.write(
    CONFIG,
    'services: [{ deployName: imagenet, model: efficientnet-lite0 }, { deployName: second, model: efficientnet-lite0 }]\n',
  );
  const before = await lab.show('MainPID');
  await lab.sh('systemctl reload edge-infer.service');
  expect(await lab.post('{"image":"AAAA"}', 'second')).toMatchObject({ error_code: 336005 });
  expect(await readStatus()).toMatch(/^Ready: imagenet \(.+\), second \(.+\) · /);
  expect(await lab.show('MainPID')).toBe(before);
});

test('a reload that is refused says so everywhere, and changes nothing', async () => {
  await lab.write(CONFIG, 'services: [{ deployName: imagenet, modle: x }]\nprot: 1\n');
  const before = await lab.show('MainPID');
  const { code, stderr } = await lab.run('systemctl reload edge-infer.service');
  expect(code).not.toBe(0);
  expect(stderr).toContain('systemctl status edge-infer.service');
  await expect.poll(() => lab.show('StatusText')).toMatch(/Configuration: .*prot/);
  expect(await readStatus()).toMatch(/^Ready: imagenet .*modle/);
  expect(await readJournal('-p err')).toMatch(/prot[\s\S]*modle|modle[\s\S]*prot/);
  expect(await lab.show('ActiveState')).toBe('active');
  expect(await lab.show('MainPID')).toBe(before);
  expect(await lab.post('{"image":"AAAA"}', 'second')).toMatchObject({ error_code: 336005 });
});

test('one worker hangs in native code: the service is ended at once and serves again', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-infer-lab-model-'));
  try {
    await writeClassifier(folder, classifier({ idleRounds: 1e15 }));
    await lab.copyIn(folder, `${MODELS}/hanging`);
  } finally {
    await rm(folder, { recursive: true });
  }
  await lab.sh(`chmod -R a+rX ${MODELS}`);
  await lab.write(
    CONFIG,
    `deadlineMs: 1000\nservices: [{ deployName: imagenet, model: efficientnet-lite0 }, { deployName: hanging, model: ${MODELS}/hanging, workers: 1 }]\n`,
  );
  // Such a model cannot be prepared either; without a place to prepare it in, it is loaded as it is.
  const dropIn = '/etc/systemd/system/edge-infer.service.d/10-lab.conf';
  await lab.write(
    dropIn,
    '[Service]\nEnvironment=EDGE_INFER_STATE_DIR=/dev/null/state EDGE_INFER_LICENSE__DIR=/var/lib/edge-infer/licenses\n',
  );
  await lab.sh('systemctl daemon-reload; systemctl restart edge-infer.service');
  const bright = JSON.stringify({ image: oneColourBmp([250, 250, 250]).toString('base64') });
  expect(await lab.post(bright, 'hanging')).toMatchObject({ error_code: 336100 }); // its deadline
  await expect.poll(() => lab.show('NRestarts'), { timeout: 40_000 }).toBe('1');
  const log = await readJournal();
  expect(log).toMatch(/worker 1 has been busy with one image for \d+ s/);
  expect(log).toContain('with signal SIGKILL');
  await lab.waitUntilReady();
  const photo = JSON.stringify({ image: oneColourBmp([0, 0, 0]).toString('base64') });
  expect(await lab.post(photo, 'hanging')).toMatchObject({ results: expect.anything() });
  const times = await lab.sh(
    "journalctl -u edge-infer.service -o short-unix | awk '/has been busy/ && !hung { hung = $1 } /^[^ ]+ [^ ]+ systemd.*Started edge-infer/ { started = $1 } END { print hung, started }'",
  );
  const [hung = 0, started = 0] = times.split(' ').map(Number);
  tell(`serving ${((started - hung) * 1000).toFixed(0)} ms after the hang was noticed`);
  await lab.sh(`rm ${dropIn}; systemctl daemon-reload`);
});

test('without the native bindings systemd-notify speaks for the server, pings among it', async () => {
  await lab.write(CONFIG, 'services: [{ deployName: imagenet, model: efficientnet-lite0 }]\n');
  const bindings = '/opt/edge-infer/current/app/native-bindings/build/edge-infer.node';
  await lab.sh(`mv ${bindings} ${bindings}.away`);
  await lab.sh('systemctl restart edge-infer.service');
  expect(await readStatus()).toMatch(/^Ready: imagenet/);
  const pid = await lab.show('MainPID');
  await new Promise((resolve) => setTimeout(resolve, WATCHDOG_MS * 1.5));
  expect(await lab.show('MainPID')).toBe(pid);
  expect(JSON.parse(await lab.sh(`curl -s ${ADMIN}/readyz`))).toMatchObject({
    services: [{ imaging: 'portable' }],
  });
  await lab.sh(`mv ${bindings}.away ${bindings}`);
});

test('a release tests itself in the sandbox of the service, beside it', async () => {
  await lab.sh('systemctl restart edge-infer.service');
  const pid = await lab.show('MainPID');
  await lab.sh('systemctl start edge-infer-selftest@0.1.0.service');
  expect(await lab.sh('journalctl -u edge-infer-selftest@0.1.0.service -o cat')).toMatch(
    /5 of 5 golden examples right[\s\S]*Self-test passed: edge-infer 0\.1\.0/,
  );
  expect(await lab.show('MainPID')).toBe(pid);
  await lab.sh(
    'sed -i \'s/"score": 0\\./"score": 1./\' /opt/edge-infer/current/app/models/efficientnet-lite0/manifest.json',
  );
  expect((await lab.run('systemctl start edge-infer-selftest@0.1.0.service')).code).not.toBe(0);
  expect(await lab.sh('journalctl -u edge-infer-selftest@0.1.0.service -o cat')).toMatch(
    /golden example/,
  );
});
