import { once } from 'node:events';
import { copyFile, mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeTwoVariants } from '../models/two-variants.ts';
import { makeFolder, runCli, startCli } from '../support/run-cli.ts';
import { goldenFolder } from '../support/server.ts';

const stateDir = await makeFolder();
const photos = await makeFolder();
const own = ['--state-dir', stateDir, '--workers', '1'];

// What a user's folder may hold: a photo in a folder below, other files, links, a damaged photo.
await mkdir(join(photos, 'below'));
await copyFile(join(goldenFolder, 'coffee.png'), join(photos, 'below', '咖啡, "eins".PNG'));
await copyFile(join(goldenFolder, 'rocket.jpg'), join(photos, 'z.JPEG'));
await copyFile(join(goldenFolder, 'rocket.jpg'), join(photos, 'photo-without-extension'));
await symlink(join(goldenFolder, 'camera.png'), join(photos, 'link.png'));
await symlink(photos, join(photos, 'round-in-circles'));
await symlink(goldenFolder, join(photos, 'folder.png'));
await writeFile(join(photos, 'notes.txt'), 'no photo');
const coffee = await readFile(join(goldenFolder, 'coffee.png'));
await writeFile(join(photos, 'cut.png'), coffee.subarray(0, 9000));
await writeFile(join(photos, 'empty.bmp'), '');
await writeFile(join(photos, 'tiny.bmp'), blankBmp(14, 100));

interface Line {
  readonly file: string;
  readonly results?: { name: string; score: number }[];
  readonly error?: { code: number | string; message: string; detail: string };
}

function parseLines(stdout: string): Line[] {
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
}

/** A black BMP of 24 bits a pixel. */
function blankBmp(width: number, height: number): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + rowBytes * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  return bytes;
}

describe('classify', () => {
  test('takes the variant that is asked for', async () => {
    const model = await writeTwoVariants(join(await makeFolder(), 'two'), {});
    const image = join(goldenFolder, 'coffee.png');
    for (const [variant, name] of [
      ['float32', 'class 0'],
      ['int8', 'class 1'],
    ] as const) {
      const flags = ['--model', model, '--variant', variant, '--json', ...own];
      const { stdout } = await runCli(['classify', image, ...flags]);
      expect(parseLines(stdout)[0]?.results?.[0]?.name).toBe(name);
    }
  });

  test('prints a table of the golden photos, nothing else on standard output', async () => {
    const { exitCode, stdout, stderr } = await runCli(['classify', goldenFolder, ...own]);
    expect(exitCode).toBe(0);
    const lines = stdout.trimEnd().split('\n');
    expect(lines[0]).toMatch(/^FILE +CLASS +SCORE$/);
    expect(lines).toHaveLength(1 + 5 * 5);
    expect(stdout).toMatch(/coffee\.png +espresso +0\.9513\n/);
    expect(stdout).not.toContain('\u001b');
    expect(stderr).toMatch(/^5 files classified\b.*\n$/);
  });

  test('searches folders in order, goes on past bad files and says what is wrong', async () => {
    const { exitCode, stdout, stderr } = await runCli(
      ['classify', '--json', '--top=2', '.', ...own],
      { cwd: photos },
    );
    expect(exitCode).toBe(1);
    const lines = parseLines(stdout);
    expect(lines.map(({ file }) => file)).toEqual([
      'below/咖啡, "eins".PNG',
      'cut.png',
      'empty.bmp',
      'link.png',
      'tiny.bmp',
      'z.JPEG',
    ]);
    const [inFolder, cut, empty, linked, tiny, rocket] = lines;
    expect(inFolder?.results?.map(({ name }) => name)).toEqual(['espresso', 'cup']);
    expect(inFolder?.results?.[0]?.score).toBeCloseTo(0.951325, 4);
    expect(cut?.error).toMatchObject({ code: 336005, message: '图片解码失败' });
    expect(empty?.error?.code).toBe(336005);
    expect(linked?.results?.[0]?.name).toBe('tripod');
    expect(tiny?.error?.code).toBe(336004);
    expect(tiny?.error?.detail).toContain('14x100');
    expect(rocket?.results?.[0]?.name).toBe('missile');
    // notes.txt, the photo without an extension and the two linked folders.
    expect(stderr).toBe('3 files classified, 3 failed, 4 other files skipped\n');
  });

  test('tries what is named, and ends with 66 when a path does not exist', async () => {
    const { exitCode, stdout } = await runCli(
      ['classify', '--json', 'photo-without-extension', 'no/such.png', 'notes.txt', ...own],
      { cwd: photos },
    );
    expect(exitCode).toBe(66);
    const [named, missing, text] = parseLines(stdout);
    expect(named?.results).toHaveLength(5);
    expect(missing).toEqual({
      file: 'no/such.png',
      error: {
        code: 'ENOENT',
        message: 'no such file or directory',
        detail: 'expected a file or folder, found nothing there',
      },
    });
    expect(text?.error?.code).toBe(336005);
  });

  test('prints CSV with a row for each file and class', async () => {
    const { exitCode, stdout } = await runCli(
      ['classify', '--csv', '--top', '2', 'below', 'cut.png', ...own],
      { cwd: photos },
    );
    expect(exitCode).toBe(1);
    const [header, first, second, failed, ...rest] = stdout.split('\n');
    expect(header).toBe('file,place,class,score,error_code,error_detail');
    expect(first).toMatch(/^"below\/咖啡, ""eins"".PNG",1,espresso,0\.9513\d+,,$/);
    expect(second).toMatch(/,2,cup,0\.0148\d+,,$/);
    expect(failed).toMatch(/^cut\.png,,,,336005,\S/);
    expect(rest).toEqual(['']);
  });

  test('takes any model by name, and says why one cannot be loaded', async () => {
    const photo = join(goldenFolder, 'rocket.jpg');
    const named = ['classify', '--json', '--top', '1', photo, ...own];
    const good = await runCli([...named, '--model', 'efficientnet-lite0']);
    expect(parseLines(good.stdout)[0]?.results?.[0]?.name).toBe('missile');
    const bad = await runCli([...named, '--model', './none'], { cwd: photos });
    expect(bad).toMatchObject({ exitCode: 78, stdout: '' });
    expect(bad.stderr).toMatch(
      /^edge-infer: the model \S+none cannot be loaded: \S+none\/manifest\.json: .+\n$/,
    );
  });

  test('refuses a service that is not configured', async () => {
    const refused = await runCli(['classify', '--service', 'imagnet', photos, ...own]);
    expect(refused).toMatchObject({ exitCode: 64, stdout: '' });
    expect(refused.stderr).toContain('did you mean imagenet?');
  });

  test('ends quietly when nobody reads any more', async () => {
    const many = Array<string>(40).fill(join(goldenFolder, 'rocket.jpg'));
    const running = startCli(['classify', ...many, ...own]);
    const { stdout } = running.process;
    if (stdout !== null) {
      await once(stdout, 'data');
      stdout.destroy();
    }
    expect(await running.ended).toMatchObject({ exitCode: 0, stderr: '' });
  });

  // onnxruntime would report its use, and a long command line overflows its stack while it does.
  test('takes a thousand names and lets onnxruntime keep no records for its maker', async () => {
    const home = await makeFolder();
    const many = Array<string>(1000).fill('no/such/photo/in/a/folder.jpg');
    const photo = join(goldenFolder, 'rocket.jpg');
    const { exitCode, stdout } = await runCli(['classify', '--json', photo, ...many, ...own], {
      env: { HOME: home, XDG_CACHE_HOME: home, ORT_DISABLE_TELEMETRY: '' },
    });
    expect(exitCode).toBe(66);
    expect(parseLines(stdout)).toHaveLength(1001);
    expect(await readdir(home)).toEqual([]);
  });

  test('stops at Ctrl-C with what is done printed', async () => {
    const many = Array<string>(400).fill(join(goldenFolder, 'rocket.jpg'));
    const running = startCli(['classify', '--json', ...many, ...own]);
    if (running.process.stdout !== null) {
      await once(running.process.stdout, 'data');
    }
    running.process.kill('SIGINT');
    const { exitCode, stdout, stderr } = await running.ended;
    expect(exitCode).toBe(130);
    const lines = parseLines(stdout);
    expect(lines.length).toBeLessThan(many.length);
    expect(stderr).toMatch(new RegExp(`^stopped: ${lines.length} files? classified\n$`));
  });

  test('writes its log, when asked for, to standard error', async () => {
    const photo = join(goldenFolder, 'rocket.jpg');
    const { stdout, stderr } = await runCli([
      'classify',
      '--json',
      photo,
      '--log.level',
      'info',
      ...own,
    ]);
    expect(parseLines(stdout)).toHaveLength(1);
    expect(stderr).toContain('"msg":"ready"');
  });
});
