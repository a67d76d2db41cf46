import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { beforeAll, expect, test } from 'vitest';
import type { DoctorReport } from '../../src/cli/doctor/report.ts';
import { createProgram } from '../../src/cli/program.ts';
import { hasMounts } from '../support/has-mounts.ts';
import { makeFolder, nodeOptions } from '../support/run-cli.ts';
import { canBuildArchives, openTestArchive } from '../support/test-archive.ts';

const execute = promisify(execFile);
/** Some forty programs, each started anew. */
const LIMIT_MS = 400_000;
const MODEL = 'app/models/efficientnet-lite0';

/** The unpacked archive, in a copy that may be given keys of its own. */
let release: string;
let work: string;
beforeAll(async () => {
  if (!canBuildArchives) return;
  const { folder } = await openTestArchive();
  work = await makeFolder();
  release = join(work, 'release');
  await execute('cp', ['--archive', '--link', folder, release]);
}, LIMIT_MS);

/** What a command finds around it: no Node, no npm, no home; and it leaves this host's folders alone. */
const environment = () => ({
  PATH: '/nowhere',
  NODE_OPTIONS: nodeOptions,
  XDG_STATE_HOME: join(work, 'home-state'),
  XDG_DATA_HOME: join(work, 'home-data'),
  EDGE_INFER_STATE_DIR: join(work, 'state'),
  EDGE_INFER_VENDOR_PASSPHRASE: 'correct horse battery',
});

const start = (args: readonly string[]) =>
  spawn('/bin/sh', [join(release, 'bin/edge-infer'), ...args], {
    ...{ cwd: work, env: environment() },
    stdio: ['ignore', 'pipe', 'pipe'],
  });

const hasRun = new Set<string>();

/** Runs a command of the packaged program to its end: the exit code, then all that it printed. */
async function run(command: string, ...args: string[]): Promise<string> {
  hasRun.add(command);
  const child = start([...command.split(' '), ...args]);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const [exitCode] = await once(child, 'close');
  return `${exitCode}\n${output}`;
}

test.skipIf(!canBuildArchives)(
  'answers as the page for it shows, with both ways of imaging and both forms of log',
  async () => {
    const ways = [
      { imaging: 'native', format: 'json' },
      { imaging: 'portable', format: 'text' },
    ];
    for (const { imaging, format } of ways) {
      hasRun.add('serve');
      const flags = ['--port', '0', '--admin.port', '0', '--imaging', imaging];
      const server = start(['serve', ...flags, '--log.format', format]);
      const ended = once(server, 'close');
      let log = '';
      for (const stream of [server.stdout, server.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          log += text;
        });
      }
      const findUrl = () => `http://127.0.0.1:${/\bport"?: ?(\d+)/.exec(log)?.[1]}`;
      while (!(await fetch(`${findUrl()}/readyz`).catch(() => undefined))?.ok) {
        expect(server.exitCode, log).toBeNull();
        await setTimeout(50);
      }
      const image = await readFile(join(release, MODEL, 'golden/rocket.jpg'), 'base64');
      const body = JSON.stringify({ image, top_num: 1 });
      const answer = await fetch(`${findUrl()}/imagenet/ImageClassification`, {
        method: 'POST',
        body,
      });
      expect(await answer.json()).toMatchObject({ results: [{ name: 'missile' }] });
      server.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      expect(log).toContain(imaging);
    }
  },
  60_000,
);

test(
  'every other command runs too',
  async () => {
    const golden = join(release, MODEL, 'golden');
    const config = ['--config', join(release, 'config/edge-infer.yaml')];
    expect(await run('config check', ...config)).toMatch(/^0\n/);
    expect(await run('config show', ...config)).toMatch(/^0\n.*edge-infer\.yaml/s);
    expect(await run('config reference')).toMatch(/^0\n.*EDGE_INFER_PORT/s);
    expect(await run('models list')).toMatch(/^0\n.*efficientnet-lite0/s);
    for (const imaging of ['native', 'portable']) {
      const right = new RegExp(`^0\\n.*${imaging} imaging, 5 golden examples right`, 's');
      expect(await run('models check', '--imaging', imaging)).toMatch(right);
    }
    expect(await run('classify', golden)).toMatch(/^0\n.*espresso/s);
    expect(await run('classify', golden, '--csv')).toMatch(/^0\n.*espresso/s);
    expect(await run('classify', join(golden, 'README.md'), '--json')).toMatch(/^1\n.*336005/s);
    expect(await run('verify')).toMatch(/^0\n/);
    await explainOtherModel();
    await lookAfterHost();
    const short = ['--callers', '1', '--duration', '1s'];
    expect(await run('bench', ...short, '--json', '--chart', 'bench.html')).toMatch(
      /^0\n.*"callers"/s,
    );
    await sellLicense();
    expect([...hasRun].sort()).toEqual(listCommands(createProgram()).sort());
  },
  LIMIT_MS,
);

/** A model that resizes otherwise than its recorded answers say, so that the cause is sought and drawn. */
async function explainOtherModel(): Promise<void> {
  const other = join(work, 'other');
  await cp(join(release, MODEL), other, { recursive: true });
  const manifest = await readFile(join(other, 'manifest.json'), 'utf8');
  await writeFile(join(other, 'manifest.json'), manifest.replace('"bicubic"', '"bilinear"'));
  const image = join(other, 'golden/rocket.jpg');
  expect(await run('verify', './other', '--explain', image, '--picture', 'why.png')).toMatch(
    /^2\n.*bicubic in place of bilinear/s,
  );
  expect((await readFile(join(work, 'why.png'))).length).toBeGreaterThan(10_000);
}

/** What an operator runs beside the server, of which there is none here. */
async function lookAfterHost(): Promise<void> {
  expect(await run('self-test', '--json')).toMatch(/^0\n.*"ok":true/s);
  // Ports that nobody listens on, so that no other server of this host is asked.
  const apart = ['--port', '1', '--admin.port', '2'];
  const doctor = await run('doctor', '--json', ...apart);
  const [, code, json = ''] = /^(\d)\n(.*)$/s.exec(doctor) ?? [];
  const { findings, ok } = JSON.parse(json) as DoctorReport;
  expect(code).toBe(ok ? '0' : '1');
  const files = findings.filter(({ check }) => check === 'release-files');
  expect(files).toMatchObject([
    { severity: 'ok', found: expect.stringMatching(/ signed list of /) },
  ]);
  expect(findings.filter(({ found }) => found.includes('could not be checked'))).toEqual([]);
  await noticeDamage(apart);
  expect(await run('support-bundle', 'bundle.tar.gz', '--yes', ...apart)).toMatch(
    /^0\n.*doctor\.json .*Written/s,
  );
  expect((await readFile(join(work, 'bundle.tar.gz'))).length).toBeGreaterThan(1000);
  hasRun.add('hardware record');
  if (hasMounts) {
    expect(await recordHardware()).toMatch(/hardware\.json/);
  }
}

/** As root does it at boot, with a `/run` of its own. */
async function recordHardware(): Promise<string> {
  const script = 'mount -t tmpfs -o mode=755 none /run && exec sh "$0" hardware record';
  const command = ['--mount', 'sh', '-ec', script, join(release, 'bin/edge-infer')];
  const env = { ...environment(), PATH: process.env.PATH };
  const { stdout } = await execute('unshare', command, { env });
  return stdout;
}

/** A file that was changed, and one that was added. */
async function noticeDamage(apart: readonly string[]): Promise<void> {
  const page = join(release, 'README.md');
  const whole = await readFile(page);
  await rm(page); // it is linked to the archive's
  await writeFile(page, Buffer.concat([whole.subarray(1), Buffer.from('x')]));
  const added = join(release, 'app/own.txt');
  await writeFile(added, '');
  const report = await run('doctor', ...apart);
  expect(report).toMatch(/^1\n/);
  expect(report.replaceAll(/\s+/g, ' ')).toMatch(
    /problem release-files \S+\/README\.md: expected sha256/,
  );
  expect(report).toMatch(/warning +release-files +\S+\/app\/own\.txt/);
  await rm(added);
  await writeFile(page, whole);
}

/** From keys to a withdrawn licence, with a release that knows the keys. */
async function sellLicense(): Promise<void> {
  const build = join(release, 'app/license/build.json');
  const empty = await readFile(build, 'utf8');
  await rm(build); // it is linked to the archive's
  await writeFile(build, empty);
  expect(await run('license status')).toMatch(/^0\n.*imagenet/s);
  for (const name of ['first', 'next']) {
    const key = ['--kind', 'permanent', '--out', `${name}.key`, '--add-to', build];
    expect(await run('vendor keygen', ...key)).toMatch(/^0\n/);
  }
  expect(await run('license request', '--out', 'request.txt')).toMatch(/^0\n/);
  expect(await run('license request', '--qr')).toMatch(/^0\n.*[█▀▄]{20}/s);
  expect(await run('license request', '--groups')).toMatch(/^0\n/);
  const sale = ['--request', 'request.txt', '--key', 'first.key', '--accept-weak'];
  const terms = [
    '--kind',
    'permanent',
    '--tier',
    'cpu',
    '--customer',
    'ACME',
    '--container',
    'allow',
  ];
  const name = ['--deploy-name', 'imagenet', '--out', 'acme.lic'];
  expect(await run('vendor issue', ...sale, ...terms, ...name)).toMatch(/^0\n/);
  expect(await run('vendor inspect', 'acme.lic')).toMatch(/^0\n.*in order/s);
  const id = /"lic_id":"([\w-]+)"/.exec(await run('vendor list', '--json'))?.[1] ?? '';
  expect(await run('license install', 'acme.lic')).toMatch(/^0\n/);
  expect(await run('license remove', id)).toMatch(/^0\n/);
  expect(await run('license install', 'acme.lic')).toMatch(/^0\n/);
  expect(await run('vendor export', id, '--out', 'again.lic')).toMatch(/^0\n/);
  expect(await run('license release', id, '--out', 'release.txt', '--yes')).toMatch(/^0\n/);
  const again = ['--release', 'release.txt', '--out', 'second.lic'];
  expect(await run('vendor reissue', ...sale, ...again)).toMatch(/^0\n/);
  const key = /"kid": "([\w-]+)"/.exec(await readFile(join(work, 'first.key'), 'utf8'))?.[1] ?? '';
  expect(await run('vendor resign', key, '--key', 'next.key', '--out-dir', 'anew')).toMatch(/^0\n/);
  expect(await run('vendor revoke', id, '--key', 'next.key', '--reason', 'sold')).toMatch(/^0\n/);
}

function listCommands({ commands }: Command, before = ''): string[] {
  return commands.flatMap((command) => {
    const name = `${before}${command.name()}`;
    return command.commands.length > 0 ? listCommands(command, `${name} `) : [name];
  });
}
