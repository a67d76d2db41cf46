import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Config } from '../../src/config/schema.ts';
import { err, ok } from '../../src/core/result.ts';
import { classify } from '../models/classify.ts';
import { oneColourBmp } from '../support/one-colour-bmp.ts';
import {
  classifier,
  serveFlags,
  unpreparedStateDir,
  writeClassifier,
} from '../support/onnx-model.ts';
import { makeFolder } from '../support/run-cli.ts';
import { startTestServer, type TestServer } from '../support/server.ts';
import { startHeldServer } from './holder.ts';
import { startReceiver } from './receiver.ts';

const folder = await makeFolder();
const image = oneColourBmp([200, 100, 50]);
const models = {
  first: await writeClassifier(join(folder, 'first'), classifier()),
  second: await writeClassifier(join(folder, 'second'), classifier({ bias: [0, 0, 9] })),
};

function startSmall(flags: Record<string, string> = {}): Promise<TestServer> {
  return startTestServer({
    ...serveFlags({ a: models.first, b: models.first }),
    'state-dir': unpreparedStateDir,
    ...flags,
  });
}

/** The configuration in force with each service changed; undefined leaves it out. */
function withServices(
  { server }: TestServer,
  change: (service: Config['services'][number]) => Config['services'][number] | undefined,
): Config {
  const { config } = server;
  return { ...config, services: config.services.flatMap((service) => change(service) ?? []) };
}

const health = async ({ adminUrl }: TestServer) =>
  (await fetch(`${adminUrl}/readyz`)).json() as Promise<{
    configuration: object;
    services: object[];
  }>;

test('a changed service takes its place under load without a failed request; others are left alone', async () => {
  await using running = await startSmall();
  const { server, url } = running;
  const before = new Map(server.services);
  const failed: unknown[] = [];
  let answered = 0;
  let isEnough = false;
  const callers = Array.from({ length: 8 }, async () => {
    while (!isEnough) {
      const answer = await classify(url, 'a', image, 1);
      answered++;
      if (answer.results === undefined) {
        failed.push(answer);
      }
    }
  });
  await expect.poll(() => answered, { timeout: 40_000 }).toBeGreaterThan(20);
  expect((await classify(url, 'a', image, 1)).results?.[0]?.name).toBe('class 0');
  const old = before.get('a');
  for (const model of [models.second, models.first, models.second]) {
    await server.reload(
      ok(
        withServices(running, (service) =>
          service.deployName === 'a' ? { ...service, model } : service,
        ),
      ),
    );
    const goal = answered + 20;
    await expect.poll(() => answered, { timeout: 40_000 }).toBeGreaterThan(goal);
  }
  isEnough = true;
  await Promise.all(callers);
  expect(failed).toEqual([]);
  expect((await classify(url, 'a', image, 1)).results?.[0]?.name).toBe('class 2');
  expect(server.services.get('b')).toBe(before.get('b'));
  await expect.poll(() => old?.status().state, { timeout: 20_000 }).toBe('stopped');
});

test('services come and go, and the limits and manners of HTTP follow', async () => {
  await using running = await startSmall();
  const { server, url } = running;
  expect(await classify(url, 'b', image)).toMatchObject({ results: expect.anything() });
  const ofB = /^edge_infer_(requests_total|request_duration\w+|stage_dur\w+)\{.*service="b"/m;
  const readMetrics = async () => (await fetch(`${running.adminUrl}/metrics`)).text();
  expect(await readMetrics()).toMatch(ofB);
  const changed = withServices(running, (service) =>
    service.deployName === 'b' ? { ...service, deployName: 'c' } : service,
  );
  await server.reload(ok({ ...changed, http: { ...changed.http, statusCodes: 'semantic' } }));
  expect(await classify(url, 'c', image)).toMatchObject({ results: expect.anything() });
  expect(await classify(url, 'b', image)).toMatchObject({ error_code: 3 });
  const response = await fetch(`${url}/c/ImageClassification`, { method: 'POST', body: 'x' });
  expect(response.status).toBe(400);
  const metrics = await readMetrics();
  expect(metrics).toMatch(/^edge_infer_service_ready\{service="c"\} 1$/m);
  expect(metrics).not.toMatch(/^edge_infer_service_ready\{service="b"\}/m);
  await expect.poll(readMetrics, { timeout: 20_000 }).not.toMatch(ofB);
});

test('bounds on connections count for the listeners that are open', async () => {
  await using running = await startSmall();
  const { server, url } = running;
  const { http } = server.config;
  const bounds = { keepAliveTimeoutMs: 3_000, headersTimeoutMs: 500, requestTimeoutMs: 600 };
  await server.reload(ok({ ...server.config, http: { ...http, ...bounds } }));
  const kept = await fetch(`${url}/healthz`);
  expect(kept.headers.get('keep-alive')).toBe('timeout=3');
  const slow = connect(server.servicePort, '127.0.0.1');
  slow.write('POST /a/ImageClassification HTTP/1.1\r\n');
  const [answer] = (await once(slow, 'data')) as [Buffer];
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 408 /);
  slow.destroy();
});

test('a service that is new is served only once its licence was judged', async () => {
  await using running = await startSmall();
  const { server, url } = running;
  // Each loads at another moment between two looks at the licences.
  for (const deployName of ['new0', 'new1', 'new2', 'new3']) {
    const [service] = server.config.services;
    if (service === undefined) {
      throw new Error('no service');
    }
    await server.reload(ok({ ...server.config, services: [service, { ...service, deployName }] }));
    expect(await classify(url, deployName, image)).toMatchObject({ results: expect.anything() });
  }
});

test('a model whose files were replaced is loaded again, under the same configuration', async () => {
  const folder = await makeFolder();
  const model = await writeClassifier(join(folder, 'model'), classifier());
  await using running = await startSmall({ 'services.1.model': model });
  const { server, url } = running;
  const before = new Map(server.services);
  const nameOf = async () => (await classify(url, 'b', image, 1)).results?.[0]?.name;
  expect(await nameOf()).toBe('class 0');

  await writeFile(join(model, 'model.onnx'), 'damaged');
  await server.reload(ok(server.config));
  expect((await health(running)).configuration).toMatchObject({
    problems: [expect.stringMatching(/^b: .+model\.onnx: expected SHA-256 .+goes on serving$/)],
  });
  expect(await nameOf()).toBe('class 0');

  await writeClassifier(model, classifier({ bias: [0, 0, 9] }));
  await server.reload(ok(server.config));
  expect(await nameOf()).toBe('class 2');
  expect(server.services.get('a')).toBe(before.get('a'));
});

test('of reloads that come while one runs the last counts, and its mistakes are kept', async () => {
  await using running = await startSmall();
  const { server } = running;
  const rename = (deployName: string) =>
    ok(
      withServices(running, (service) =>
        service.deployName === 'b' ? { ...service, deployName } : service,
      ),
    );
  await Promise.all([
    server.reload(rename('c')),
    server.reload(rename('d')),
    server.reload(err(['port: wrong'])),
  ]);
  expect([...server.services.keys()]).toEqual(['a', 'b']);
  expect((await health(running)).configuration).toMatchObject({ refusedAt: expect.anything() });

  const first = server.reload(rename('c'));
  await delay(1); // it has begun
  await Promise.all([first, server.reload(err(['port: wrong']))]);
  expect([...server.services.keys()]).toEqual(['a', 'c']);
  expect((await health(running)).configuration).toMatchObject({
    problems: [expect.stringContaining('mistakes'), 'port: wrong'],
  });
});

test.each([0, 50, 150, 300, 500])(
  'a stop %i ms after a reload began leaves nothing behind',
  async (waitMs) => {
    const running = await startSmall();
    const { server } = running;
    const reloaded = server.reload(
      ok(withServices(running, (service) => ({ ...service, model: models.second }))),
    );
    await delay(waitMs);
    expect(await server.stop()).toBe('ended');
    await reloaded;
    await server.reload(ok(server.config)); // too late, and without effect
    await running[Symbol.asyncDispose]();
    await expect
      .poll(
        () => process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length,
        {
          timeout: 20_000,
        },
      )
      .toBe(0);
  },
);

test('one that cannot load leaves the old one serving and is reported, until it can', async () => {
  await using running = await startSmall();
  const { server, url } = running;
  const missing = join(folder, 'missing');
  const changeA = (model: string) =>
    withServices(running, (service) =>
      service.deployName === 'a' ? { ...service, model } : service,
    );
  await server.reload(ok(changeA(missing)));
  expect(await classify(url, 'a', image)).toMatchObject({ results: expect.anything() });
  expect((await health(running)).configuration).toMatchObject({
    problems: [expect.stringMatching(/^a: .+missing.+; the one before goes on serving$/)],
  });
  await server.reload(ok(changeA(models.second)));
  expect((await classify(url, 'a', image, 1)).results?.[0]?.name).toBe('class 2');
  expect((await health(running)).configuration).toMatchObject({ problems: [] });
});

test('mistakes change nothing, and what needs a restart is named', async () => {
  await using running = await startSmall();
  const { server } = running;
  const before = server.services;
  await server.reload(err(['port: expected a number, found x', 'log.level: wrong']));
  expect(server.services).toBe(before);
  expect((await health(running)).configuration).toMatchObject({
    refusedAt: expect.stringMatching(/^20/),
    problems: [
      expect.stringContaining('mistakes'),
      expect.stringContaining('port'),
      'log.level: wrong',
    ],
  });
  await server.reload(ok({ ...server.config, port: 9, stateDir: '/elsewhere' }));
  expect((await health(running)).configuration).toEqual({
    takenAt: expect.stringMatching(/^20/),
    problems: ['counts from the next start: port, stateDir'],
  });
});

test('SIGHUP reads the file again, and systemd hears of it', async () => {
  const file = join(folder, 'edge-infer.yaml');
  const write = (level: string) =>
    writeFile(
      file,
      JSON.stringify({ services: [{ deployName: 'a', model: models.first }], log: { level } }),
    );
  await write('info');
  const address = join(folder, 'notify');
  using manager = await startReceiver(address);
  await using held = await startHeldServer({
    sockets: ['service=127.0.0.1:0', 'admin=127.0.0.1:0'],
    flags: ['--config', file, '--port', '0', '--admin.port', '0', '--workers', '1'],
    env: { NOTIFY_SOCKET: address },
  });
  const timed = { timeout: 20_000 };
  const reloads = () =>
    manager
      .messages()
      .filter((message) => /^(RELOADING|READY)=1/.test(message))
      .map((message) => message.slice(0, 5));
  await expect.poll(reloads, timed).toEqual(['READY']);
  await write('loud');
  held.holder.kill('SIGHUP');
  await expect.poll(reloads, timed).toEqual(['READY', 'RELOA', 'READY']);
  expect(held.stdout()).toMatch(
    /"level":"error".+"problems":\["log\.level \(.+edge-infer\.yaml:1:\d+\): expected /,
  );
  await expect
    .poll(() => manager.messages().at(-1), timed)
    .toMatch(
      /^STATUS=Ready: a .+ Configuration: the new configuration has mistakes and was not taken, log\.level /,
    );
  await write('debug');
  held.holder.kill('SIGHUP');
  await expect.poll(held.stdout, timed).toContain('"msg":"the configuration was read again"');
  await expect
    .poll(() => manager.messages().findLast((message) => message.startsWith('STATUS=')), timed)
    .not.toContain('Configuration');
});

// A thread that is ended inside the native runtime takes the process with it, here this test's own.
test('a stop in the middle of the first run of a model waits for its end', async () => {
  const slow = classifier({ bias: [1, 1, 1], idleRounds: 3e6 });
  const model = await writeClassifier(join(folder, 'slow'), slow);
  const running = await startSmall();
  const next = withServices(running, (service) => ({ ...service, model }));
  const reloaded = running.server.reload(ok(next));
  await delay(700);
  expect(await running.server.stop()).toBe('ended');
  await reloaded;
});
