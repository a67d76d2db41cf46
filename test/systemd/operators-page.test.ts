/** The page for operators (scripts/package/README.md): its commands and its recipe, pasted. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import { goldenFolder, packageRoot } from '../support/server.ts';
import { ADMIN, bootServiceLab, SERVICE, type ServiceLab, tell } from './support/service-lab.ts';

const CONFIG = '/etc/edge-infer/edge-infer.yaml';
const VENDOR = { EDGE_INFER_VENDOR_PASSPHRASE: 'only of this test' };
const BUILD = '/opt/edge-infer/current/app/license/build.json';

const page = await readFile(join(packageRoot, 'scripts/package/README.md'), 'utf8');
const commands = [...page.matchAll(/^```sh\n(.*?)^```/gms)]
  .flatMap(([, block = '']) => block.split('\n'))
  .filter((line) => line !== '');
const pasted = new Set<string>();

/** The only command of the page that begins like this, as an operator pastes it. */
function findCommand(beginning: string): string {
  const found = commands.filter((line) => line.startsWith(beginning));
  expect(found, beginning).toHaveLength(1);
  pasted.add(found[0] ?? '');
  return found[0] ?? '';
}

let here: ServiceLab;

/** Pastes it into a root's shell, with `names` of this test in the place of the page's examples. */
async function paste(
  lab: ServiceLab,
  beginning: string,
  names: Readonly<Record<string, string>> = {},
) {
  let line = findCommand(beginning);
  for (const [example, name] of Object.entries(names)) {
    line = line.replaceAll(example, name);
  }
  const outcome = await lab.run(`sudo() { "$@"; }; cd /root; ${line}`);
  expect(outcome.code, `${line}\n${outcome.stdout}${outcome.stderr}`).toBe(0);
  return outcome.stdout;
}

const writeConfig = (lab: ServiceLab, deployName: string) =>
  lab.write(CONFIG, `services: [{ deployName: ${deployName}, model: efficientnet-lite0 }]\n`);

beforeAll(async () => {
  here = await bootServiceLab();
  await writeConfig(here, 'imagenet');
  await here.sh('systemctl start edge-infer.service');
  await here.waitUntilReady();
});

afterAll(() => here[Symbol.asyncDispose]());

test('looking at it', async () => {
  expect(await paste(here, 'systemctl status')).toMatch(/Status: "Ready: imagenet/);
  expect(await paste(here, 'sudo edge-infer license status')).toContain('TRIAL');
  expect(await paste(here, 'sudo edge-infer doctor')).toMatch(/imagenet/);
  await paste(here, 'sudo edge-infer support-bundle');
  expect(await here.sh('ls /root')).toContain('edge-infer-support-');
});

test('another deploy name', async () => {
  await writeConfig(here, 'parts');
  await paste(here, 'sudo edge-infer config check');
  await paste(here, 'sudo systemctl reload');
  expect(await here.post('{"image":"AAAA"}', 'parts')).toMatchObject({ error_code: 336005 });
  expect(await here.post('{"image":"AAAA"}')).toMatchObject({ error_code: 3 });
  await writeConfig(here, 'imagenet');
  await here.sh('systemctl reload edge-infer.service');
});

test('the log: what went wrong, and kept beyond a reboot for as long as was said', async () => {
  await paste(here, 'sudo mkdir -p /etc/systemd/journald.conf.d');
  await paste(here, 'printf');
  await paste(here, 'sudo systemctl restart systemd-journald');
  await here.sh('systemctl restart edge-infer.service');
  await here.sh('kill -ABRT $(systemctl show --value -p MainPID edge-infer)');
  await here.waitUntilReady();
  expect(await paste(here, 'journalctl -u edge-infer -p warning')).toMatch(/code=killed/);
  await here.sh('journalctl --sync');
  await here.reboot();
  expect(await here.sh('journalctl -u edge-infer -o cat')).toMatch(/code=killed/);
  await here.waitUntilReady();
});

describe('TLS behind nginx', () => {
  const [, recipe = ''] = /^```nginx\n(.*?)^```/ms.exec(page) ?? [];
  const [file = ''] = /\/etc\/nginx\/conf\.d\/\S+\.conf/.exec(page) ?? [];
  const url = 'https://images.example/imagenet/ImageClassification';
  const curl =
    'curl -s -m 30 --cacert /etc/ssl/images.example.pem --resolve images.example:443:127.0.0.1';
  const encode = (image: Uint8Array) =>
    JSON.stringify({ image: Buffer.from(image).toString('base64') });

  beforeAll(async () => {
    await here.sh(
      'openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=images.example -addext subjectAltName=DNS:images.example -keyout /etc/ssl/private/images.example.key -out /etc/ssl/images.example.pem',
    );
    await here.write(file, recipe);
    await here.sh('nginx -t');
    await here.sh('systemctl start nginx.service');
    await here.write('/root/photo.json', encode(await readFile(join(goldenFolder, 'rocket.jpg'))));
  });

  test('answers as the server itself does, over connections that are kept', async () => {
    const direct = await here.sh(
      `curl -s --data-binary @/root/photo.json ${SERVICE}/imagenet/ImageClassification`,
    );
    const answers = await here.sh(
      `${curl} -w '\\n%{http_code} %{num_connects}\\n' --data-binary @/root/photo.json ${url} ${url}`,
    );
    const [first = '', status, second, statusOfSecond] = answers.split('\n');
    const results = (text: string) => (JSON.parse(text) as { results: unknown }).results;
    expect(results(first)).toEqual(results(direct));
    expect(results(second ?? '')).toEqual(results(direct));
    expect([status, statusOfSecond]).toEqual(['200 1', '200 0']);
    // nginx keeps its own connections, too: callers one after the other share them.
    await here.sh(`for i in $(seq 20); do ${curl} --data-binary @/root/photo.json ${url}; done`);
    const open = await here.sh("ss -Htn state established '( dport = :24401 )' | wc -l");
    expect(Number(open)).toBeLessThanOrEqual(4);
    expect(Number(open)).toBeGreaterThanOrEqual(1);
  });

  test('lets the largest image through, and what is larger as far as it gets an answer', async () => {
    const largest = oneColourBmp([9, 9, 9], 1020, 1020); // just under 4 MiB of base64
    await here.write('/root/largest.json', encode(largest));
    expect(await here.sh(`${curl} --data-binary @/root/largest.json ${url}`)).toContain(
      '"results"',
    );
    await here.write('/root/larger.json', encode(oneColourBmp([9, 9, 9], 1030, 1030)));
    const larger = await here.sh(`${curl} --data-binary @/root/larger.json ${url}`);
    expect(JSON.parse(larger)).toMatchObject({ error_code: 336004 });
    await here.write('/root/too-large.json', encode(oneColourBmp([9, 9, 9], 1280, 1280)));
    expect(
      await here.sh(
        `${curl} -o /dev/null -w '%{http_code}' --data-binary @/root/too-large.json ${url}`,
      ),
    ).toBe('413');
  });

  test('passes on the status of what is wrong, and is told the health alone', async () => {
    const other = await here.sh(`${curl} -w '\\n%{http_code}' ${url.replace('imagenet', 'no')}`);
    const direct = await here.sh(`curl -s -w '\\n%{http_code}' ${SERVICE}/no/ImageClassification`);
    const withoutLogId = (text: string) => text.replace(/"log_id":\s*\d+/, '');
    expect(withoutLogId(other)).toBe(withoutLogId(direct));
    expect(JSON.parse(await here.sh(`${curl} https://images.example/healthz`))).toEqual({
      status: 'alive',
    });
  });

  test('a restart of the server fails no request', async () => {
    const calls = here.sh(
      `seq 240 | xargs -P 8 -I{} sh -c '${curl} --data-binary @/root/photo.json ${url} | grep -c results'`,
      { timeoutMs: 100_000 },
    );
    await here.sh('sleep 1; systemctl restart edge-infer.service; systemctl restart edge-infer');
    const answered = (await calls).split('\n').filter((line) => line === '1').length;
    tell(`two restarts behind nginx: ${answered} of 240 answered`);
    expect(answered).toBe(240);
  });
});

test('backup, and a move to another host', { timeout: 200_000 }, async () => {
  await using there = await bootServiceLab();
  const copy = async (path: string, from = here, to = there) =>
    to.write(path, Buffer.from(await from.sh(`base64 -w0 ${path}`), 'base64'));
  const issue = (request: string, kind: string, out: string) =>
    here.sh(
      `edge-infer vendor ${kind} --request ${request} --accept-weak --key /root/permanent.key --out ${out}`,
      { env: VENDOR },
    );
  // A release that knows its vendor's key, and lets no host evaluate.
  await here.sh(
    `edge-infer vendor keygen --kind permanent --out /root/permanent.key --add-to ${BUILD}`,
    { env: VENDOR },
  );
  await here.sh(`sed -i '/"evaluation"/,/}/s/true/false/' ${BUILD}`);
  await copy(BUILD);
  await here.sh('systemctl restart edge-infer.service');

  await here.sh('edge-infer license request --out /root/old.txt');
  await issue(
    '/root/old.txt',
    'issue --kind permanent --tier cpu --deploy-name imagenet --customer Lab --container allow',
    '/root/old.lic',
  );
  await here.sh('edge-infer license install /root/old.lic');
  const readState = async (lab: ServiceLab) =>
    /"license":\{"state":"(\w+)"/.exec(await lab.sh(`curl -s ${ADMIN}/readyz`))?.[1];
  await expect.poll(() => readState(here), { timeout: 10_000 }).toBe('VALID');

  await here.write('/etc/systemd/system/edge-infer.service.d/20-own.conf', '[Service]\nNice=-5\n');
  await here.write('/opt/edge-infer/models/mark', 'kept');
  await paste(here, 'sudo tar -czf edge-infer-backup.tar.gz');
  await copy('/root/edge-infer-backup.tar.gz');
  await paste(there, 'sudo tar -xzf edge-infer-backup.tar.gz');
  await there.sh('systemctl daemon-reload; systemctl start edge-infer.service');
  expect(await there.sh(`cat ${CONFIG} /opt/edge-infer/models/mark`)).toContain('imagenet');
  expect(await there.show('Nice')).toBe('-5');

  const list = await here.sh('edge-infer license status');
  const [id = ''] = /lic-[0-9a-f]{20}/.exec(list) ?? [];
  await paste(here, 'sudo edge-infer license release', { 'LICENCE-ID': id });
  await expect.poll(() => readState(here), { timeout: 10_000 }).not.toBe('VALID');
  await expect
    .poll(() => here.show('StatusText'), { timeout: 5000 })
    .toMatch(/^Refused: imagenet: /);
  tell(`Status: "${await here.show('StatusText')}"`);
  expect(await here.post('{"image":"AAAA"}')).toMatchObject({ error_code: 337000 });
  expect(await here.show('NRestarts')).toBe('0');

  await paste(there, 'sudo edge-infer license request');
  await copy('/root/request.txt', there, here);
  await issue('/root/request.txt', 'reissue --release /root/proof.txt', '/root/new.lic');
  await copy('/root/new.lic');
  await paste(there, 'sudo edge-infer license install');
  await expect.poll(() => readState(there), { timeout: 10_000 }).toBe('VALID');
});

test('every command of the page was pasted, here or by the tests of install.sh', () => {
  const ofInstaller = /install\.sh|edge-infer-0\.2\.0-linux/;
  const others = commands.filter((line) => !pasted.has(line) && !ofInstaller.test(line));
  expect(others).toEqual([]);
});
