/** What pages tell an operator to type exists; what it does is tried by the tests of each command. */
import { execFile } from 'node:child_process';
import { access, glob, readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { createProgram } from '../src/cli/program.ts';
import { exitCodes } from '../src/core/errors.ts';
import { packageRoot } from './support/server.ts';

const run = promisify(execFile);
const host = join(packageRoot, 'scripts/package/host');
const readFileOf = (path: string) => readFile(join(packageRoot, path), 'utf8');
/** Flags of a service, which the program knows by their index, are listed here alone. */
const settings = await readFileOf('src/config/README.md');
const page = await readFileOf('scripts/package/README.md');
const places = await readFileOf('scripts/package/host/installer/places.sh');
const { stdout: usage } = await run('sh', [join(host, 'install.sh'), '--help']);

/** Every README of the project, with its path. */
async function readPages(): Promise<(readonly [path: string, text: string])[]> {
  const paths: string[] = [];
  for await (const path of glob('{*.md,{src,scripts,license,models}/**/*.md}', {
    cwd: packageRoot,
  })) {
    if (!path.includes('node_modules')) paths.push(path);
  }
  return Promise.all(paths.sort().map(async (path) => [path, await readFileOf(path)] as const));
}

/** Lines of fenced blocks and pieces of code within sentences, each line continued by a backslash joined. */
function listCode(text: string): string[] {
  const blocks = [...text.matchAll(/^```(?:sh|bash)\n(.*?)^```$/gms)].flatMap(([, block = '']) =>
    block.replaceAll('\\\n', ' ').split('\n'),
  );
  const inline = [...text.replaceAll(/^```.*?^```$/gms, '').matchAll(/`([^`\n]+)`/g)];
  // What signatures begin with only looks like a command.
  return [...blocks, ...inline.map(([, code = '']) => code)].filter((code) => !/ v1$/.test(code));
}

/** The words after each call of a program in a line of shell. */
function findCalls(line: string, program: RegExp): string[][] {
  return line
    .replace(/(^|\s)#.*$/, '')
    .split(/&&|\|\||[;|()]/)
    .flatMap((part) => {
      const words = part.trim().split(/\s+/);
      const at = words.findIndex((word) => program.test(word));
      // What stands before is a launcher: sudo, sh, an assignment.
      return at >= 0 && words.slice(0, at).every((word) => /^(sudo|sh|exec|\w+=.*)$/.test(word))
        ? [words.slice(at + 1)]
        : [];
    });
}

/** What of a call the program does not know. */
function findUnknown(words: readonly string[]): string[] {
  let command: Command = createProgram();
  for (const word of words) {
    const next = command.commands.find((each) => each.name() === word);
    if (next === undefined) break;
    command = next;
  }
  const first = words[0];
  const isCommand = first === undefined || first.startsWith('-') || command.parent !== null;
  const known = [command, createProgram()].flatMap(({ options }) =>
    options.flatMap(({ long, short }) => [long, short]),
  );
  const options = words.flatMap((word) => /^--?[a-z][\w.-]*/i.exec(word)?.[0] ?? []);
  return [
    ...(isCommand ? [] : [first]),
    ...options.filter(
      (option) =>
        !['--help', '-h', '--version'].includes(option) &&
        !known.includes(option) &&
        !settings.includes(`\`${option}\``),
    ),
  ];
}

test('every call of edge-infer on a page is one that the program knows', async () => {
  const calls = (await readPages()).flatMap(([path, text]) =>
    listCode(text).flatMap((line) =>
      findCalls(line, /^(\S*\/bin\/)?edge-infer$/).map((words) => ({ path, line, words })),
    ),
  );
  expect(calls.length).toBeGreaterThan(60);
  const unknown = calls
    .map(({ path, line, words }) => ({ path, line, unknown: findUnknown(words) }))
    .filter((call) => call.unknown.length > 0);
  expect(unknown).toEqual([]);
  expect(findUnknown(['license', 'status', '--jsen'])).toEqual(['--jsen']);
  expect(findUnknown(['docter'])).toEqual(['docter']);
});

test('every option of install.sh on a page is one that it knows, and the page names all', async () => {
  const known = [...usage.matchAll(/^ {2}(--\w+)/gm)].map(([, option = '']) => option);
  expect(known).toContain('--rollback');
  const calls = (await readPages()).flatMap(([, text]) =>
    listCode(text).flatMap((line) => findCalls(line, /(^|\/)install\.sh$/)),
  );
  const used = new Set(calls.flat().filter((word) => word.startsWith('--')));
  expect(
    [...used].filter((option) => !known.includes(option) && !settings.includes(`\`${option}\``)),
  ).toEqual([]);
  expect(known.filter((option) => !used.has(option) && option !== '--help')).toEqual([]);
});

test('units, places and files that the page names are there', async () => {
  const units = [...page.matchAll(/\bedge-infer[\w@-]*\.(?:service|socket)\b/g)].map(
    ([name]) => name,
  );
  for (const name of new Set(units)) {
    await access(join(host, 'systemd', name));
  }
  const scripts = `${places}${await readFileOf('scripts/package/host/bin/edge-infer')}${await readFileOf('scripts/package/host/systemd/edge-infer.service')}`;
  for (const place of [
    '/var/log/edge-infer-install.log',
    '/usr/local/bin/edge-infer',
    '/etc/edge-infer/edge-infer.yaml',
  ]) {
    expect(page).toContain(place);
    expect(scripts).toContain(place);
  }
  const links = [...page.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path = '']) => path);
  for (const link of links) {
    await access(join(packageRoot, dirname('scripts/package/README.md'), link));
  }
});

test('the exit codes of the page are those of install.sh, and mean what they mean elsewhere', () => {
  const codes = new Map(
    [...places.matchAll(/^([A-Z_]+)=(\d+)$/gm)]
      .filter(([, name]) => name !== 'STEP')
      .map(([, name = '', code]) => [name, Number(code)] as const),
  );
  const [, section = ''] = page.split('## Exit codes of install.sh');
  const told = [...section.matchAll(/^\| (\d+) \| /gm)].map(([, code]) => Number(code));
  expect(told).toEqual([...codes.values()].toSorted((a, b) => a - b));
  const [, short = ''] = usage.split('Exit codes:');
  const inUsage = [...short.matchAll(/(?:^|;)\s+(\d+) /g)].map(([, code]) => Number(code));
  expect(inUsage).toEqual(told);
  const same = {
    USAGE: 'USAGE',
    DATA: 'DATA',
    NO_INPUT: 'NO_INPUT',
    OS: 'OS',
    NO_PERMISSION: 'NO_PERMISSION',
    CONFIG_REFUSED: 'CONFIG',
  } as const;
  for (const [name, own] of Object.entries(same)) {
    expect(codes.get(name)).toBe(exitCodes[own]);
  }
  // The two that RestartPreventExitStatus= of the unit names.
  expect(section).toContain(`ends it with ${exitCodes.CONFIG} or ${exitCodes.USAGE}`);
});
