import { execFile } from 'node:child_process';
import { copyFile, cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import sharp from 'sharp';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { mainFile, makeFolder, type RunningCli, runCli, startCli } from '../../support/run-cli.ts';
import { goldenFolder, packageRoot } from '../../support/server.ts';

const stateDir = await makeFolder();
const folder = await makeFolder();
const brief = ['--workers', '1', '--duration', '0.5', '--state-dir', stateDir];

const figure = z.number().positive();
const count = z.int().nonnegative();
/** Every key of `--json`, as src/cli/bench/README.md explains them. */
const reportSchema = z.strictObject({
  date: z.iso.datetime(),
  isComplete: z.boolean(),
  host: z.strictObject({
    ...{ cpu: z.string().min(3), processors: figure, usableProcessors: figure, memoryMib: figure },
    system: z.string().min(3),
    edgeInfer: z.string().regex(/^\d+\./),
    node: z.literal(process.versions.node),
    onnxruntime: z.string().regex(/^\d+\./),
  }),
  service: z.strictObject({
    ...{ deployName: z.string(), model: z.string(), modelVersion: z.string() },
    modelSha256: z.string().length(64),
    ...{ workers: figure, threads: figure, device: z.literal('cpu'), deviceReason: z.string() },
    imaging: z.enum(['native', 'portable']),
    imagingReason: z.string(),
    variant: z.enum(['float32', 'int8']),
    variantReason: z.string(),
  }),
  load: z.strictObject({
    ...{ images: figure, smallestRequestBytes: figure, largestRequestBytes: figure },
    refusedImages: z.array(
      z.strictObject({
        ...{ file: z.string(), code: z.union([z.number(), z.string()]), detail: z.string() },
      }),
    ),
    durationS: figure,
  }),
  steps: z.array(
    z.strictObject({
      ...{ callers: figure, seconds: figure, answered: count, failed: count },
      failures: z.record(z.string(), figure),
      requestsPerSecond: figure,
      latencyMs: z.strictObject({
        mean: figure,
        p50: figure,
        p90: figure,
        p99: figure,
        max: figure,
      }),
      ...{ cpuMsPerRequest: figure, callersCpuMsPerRequest: figure },
      otherProcessors: z.number().nonnegative().optional(),
      memoryMib: z.strictObject({
        resident: figure,
        proportional: figure.optional(),
        peak: figure,
      }),
      stagesMs: z.record(z.string(), z.number().nonnegative()),
    }),
  ),
  budget: z.strictObject({ p99Ms: figure, callers: count, isAtLeast: z.boolean() }).optional(),
  conclusion: z.string().endsWith('.'),
});

function parseReport(stdout: string): z.infer<typeof reportSchema> {
  expect(stdout.trimEnd()).not.toContain('\n');
  return reportSchema.parse(JSON.parse(stdout));
}

/** The server that a running command measures. */
async function findServer({ process: { pid } }: RunningCli): Promise<number> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  return Number(children.trim().split(' ')[0]);
}

async function waitForEndOf(pid: number): Promise<void> {
  while (isAlive(pid)) {
    await sleep(50);
  }
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

describe('bench', () => {
  test('measures what adds up, and draws it', async () => {
    const chart = join(folder, 'bench.svg');
    const { exitCode, stdout, stderr } = await runCli([
      ...['bench', '--callers', '2,1', '--json', '--chart', chart],
      ...brief,
    ]);
    expect(exitCode).toBe(0);
    expect(stderr).toMatch(/^loading .+\n1 caller: .+ requests\/s.+\n2 callers: .+\n$/);
    const { isComplete, steps, load, service, budget } = parseReport(stdout);
    expect({ isComplete, budget }).toEqual({ isComplete: true, budget: undefined });
    expect(service).toMatchObject({ deployName: 'imagenet', model: 'efficientnet-lite0' });
    expect(service).toMatchObject({ workers: 1, threads: 1 });
    expect(load).toMatchObject({ images: 5, refusedImages: [], durationS: 0.5 });
    expect(steps.map(({ callers }) => callers)).toEqual([1, 2]);
    for (const { latencyMs, stagesMs, ...step } of steps) {
      expect(step).toMatchObject({ failed: 0, failures: {} });
      expect(step.seconds).toBeGreaterThan(0.49);
      expect(step.requestsPerSecond).toBeCloseTo(step.answered / step.seconds, 6);
      const { p50, p90, p99, max } = latencyMs;
      expect([p50, p90, p99, max].toSorted((a, b) => a - b)).toEqual([p50, p90, p99, max]);
      // Callers that are never without a request: their number is rate times latency (Little's
      // law), but for the requests under way when the counting began and ended.
      const inFlight = (step.requestsPerSecond * latencyMs.mean) / 1000;
      const atEnds = (2 * step.callers * max) / 1000 / step.seconds;
      expect(Math.abs(inFlight - step.callers)).toBeLessThanOrEqual(atEnds);
      expect(Object.keys(stagesMs)).toEqual(expect.arrayContaining(['wait', 'run', 'other']));
      expect(step.memoryMib.peak).toBeGreaterThanOrEqual(step.memoryMib.resident * 0.99);
    }
    const metadata = await sharp(await readFile(chart)).metadata(); // fails unless it is XML
    expect(metadata).toMatchObject({ format: 'svg', width: 800 });
    expect(await readdir(folder)).toEqual(['bench.svg']);
  });

  test('leaves out the images that are refused, and says so', async () => {
    const photos = await makeFolder();
    await copyFile(join(goldenFolder, 'rocket.jpg'), join(photos, 'good <b>&.jpg'));
    const coffee = await readFile(join(goldenFolder, 'coffee.png'));
    await writeFile(join(photos, 'cut.png'), coffee.subarray(0, 9000));
    const chart = join(photos, 'bench.html');
    const { exitCode, stdout } = await runCli([
      ...['bench', '--callers', '1', '--images', photos, '--chart', chart, '--threads', '2'],
      ...brief,
    ]);
    expect(exitCode).toBe(1);
    expect(stdout).toMatch(
      /^efficientnet-lite0 1 \(float32\) on cpu, 1 worker of 2 threads, imaging (native|portable)\n/,
    );
    expect(stdout).toMatch(/\n1 image, a request of 1\d\d KiB, 0\.50 s a step\n/);
    expect(stdout).toMatch(/\nCALLERS +REQUESTS\/S +P50 MS .+\n +1 +\d/);
    expect(stdout).toMatch(/\n1 of 2 images .+:\n {2}\S+cut\.png: error 336005: .+\n/);
    expect(stdout).not.toContain('\u001b');

    const page = await readFile(chart, 'utf8');
    // Nothing is loaded from anywhere, and the only address is the name of SVG's name space.
    expect(page).not.toMatch(/\b(src|href|srcset|action)=|url\(|@import|<(script|link|iframe)\b/i);
    expect(page.match(/\w+:\/\/[^"]*/g)).toEqual(['http://www.w3.org/2000/svg']);
    const svg = /<svg.+<\/svg>/s.exec(page)?.[0] ?? '';
    expect((await sharp(Buffer.from(svg)).metadata()).format).toBe('svg');
  });

  test('counts refused requests as failed, and finds the callers that are not refused', async () => {
    const { exitCode, stdout } = await runCli([
      ...['bench', '--callers', '8', '--budget', '60s', '--json', '--queue.max-requests', '1'],
      ...brief,
    ]);
    expect(exitCode).toBe(0);
    const { steps, budget, conclusion } = parseReport(stdout);
    // One is worked on, one waits.
    expect(budget).toEqual({ p99Ms: 60_000, callers: 2, isAtLeast: false });
    expect(steps.map(({ callers, failed }) => [callers, failed > 0])).toEqual([
      ...[
        [2, false],
        [3, true],
        [4, true],
        [8, true],
      ],
    ]);
    for (const { failures, failed } of steps) {
      expect(failures).toEqual(failed > 0 ? { 336100: failed } : {});
    }
    expect(conclusion).toMatch(
      /^Up to 2 callers at once .+ With 3 callers \d+ of \d+ requests failed/,
    );
  });

  test('stops at Ctrl-C with what was measured, and leaves no server behind', async () => {
    const running = startCli([
      'bench',
      '--callers',
      '1,2,3',
      '--json',
      ...brief,
      '--duration',
      '2',
    ]);
    await running.waitForStderr('1 caller:');
    const server = await findServer(running);
    running.process.kill('SIGINT');
    const { exitCode, stdout } = await running.ended;
    expect(exitCode).toBe(130);
    expect(parseReport(stdout)).toMatchObject({ isComplete: false, steps: [{ callers: 1 }] });
    expect(isAlive(server)).toBe(false);
  });

  test('takes its server with it when it is killed', async () => {
    const running = startCli(['bench', '--callers', '1,2', ...brief]);
    await running.waitForStderr('1 caller:');
    const server = await findServer(running);
    expect(isAlive(server)).toBe(true);
    running.process.kill('SIGKILL');
    await running.ended;
    await waitForEndOf(server);
  });

  test('prints what was measured when the server dies, and ends with 70', async () => {
    const running = startCli(['bench', '--callers', '1,2', '--json', ...brief, '--duration', '2']);
    await running.waitForStderr('1 caller:');
    process.kill(await findServer(running), 'SIGKILL');
    const { exitCode, stdout, stderr } = await running.ended;
    expect(exitCode).toBe(70);
    expect(parseReport(stdout)).toMatchObject({ isComplete: false, steps: [{ callers: 1 }] });
    expect(stderr).toMatch(/\nedge-infer: the measured server ended \(signal SIGKILL\)\n$/);
  });
});

describe('bench says at once what cannot work:', () => {
  test.each([
    [71, ['--chart', join(folder, 'no/chart.svg')], /--chart \S+ cannot be written: ENOENT/],
    [71, ['--chart', join(folder, 'folder.html')], /--chart \S+ cannot be written: it is a folder/],
    [66, ['--images', join(folder, 'none')], /--images \S+none: .+ found nothing there/],
    [66, ['--images', join(packageRoot, 'src/core')], /expected .jpg.+ found none/],
    [64, ['--service', 'imagnet'], /did you mean imagenet\?/],
    [78, ['--model', 'none'], /the model none cannot be loaded: .+manifest\.json/],
  ])('exit %i for %j', async (code, args, message) => {
    await mkdir(join(folder, 'folder.html'), { recursive: true });
    const { exitCode, stdout, stderr } = await runCli(['bench', ...args, ...brief]);
    expect({ exitCode, stdout }).toEqual({ exitCode: code, stdout: '' });
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/edge-infer: .+\n$/);
  });

  test('more callers than open files', async () => {
    const command = `ulimit -n 120; exec '${process.execPath}' '${mainFile}' bench --callers 64`;
    const refused = promisify(execFile)('bash', ['-c', command]);
    await expect(refused).rejects.toMatchObject({
      code: 71,
      stdout: '',
      stderr: expect.stringMatching(/^edge-infer: 64 callers need \d+ open files, .+ 120; .+\n$/),
    });
  });

  test('a model that does not answer as it did in training', async () => {
    const model = join(await makeFolder(), 'model');
    await cp(join(packageRoot, 'models/efficientnet-lite0'), model, { recursive: true });
    const manifest = await readFile(join(model, 'manifest.json'), 'utf8');
    await writeFile(join(model, 'manifest.json'), manifest.replace('"espresso"', '"cup"'));
    const { exitCode, stdout, stderr } = await runCli(['bench', '--model', model, ...brief]);
    expect({ exitCode, stdout }).toEqual({ exitCode: 78, stdout: '' });
    expect(stderr).toMatch(/cannot be loaded: golden example \S+coffee\.png: expected "cup"/);
  });

  test('images of which none is answered', async () => {
    const photos = await makeFolder();
    await writeFile(join(photos, 'text.jpg'), 'no photo');
    const refused = await runCli(['bench', '--images', photos, ...brief]);
    expect(refused).toMatchObject({ exitCode: 66, stdout: '' });
    expect(refused.stderr).toMatch(/none of the 1 images is answered, such as \S+text\.jpg: /);
  });
});
