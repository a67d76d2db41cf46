import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, expect, test } from 'vitest';
import dependencyRules from '../.dependency-cruiser.js';
import { packageRoot } from './support/server.ts';

const run = promisify(execFile);

/** For each rule, a file that breaks it and what that file imports. */
const violations: Record<string, readonly [file: string, imports: string]> = {
  'no-circular': ['src/core/circle.ts', './circle.ts'],
  'not-resolvable': ['src/core/lost.ts', './nowhere.ts'],
  'no-dev-dependency-in-src': ['src/core/dev.ts', 'fast-check'],
  'no-src-to-test-or-scripts': ['src/core/outward.ts', '../../test/target.ts'],
  'core-imports': ['src/core/planted.ts', '../config/target.ts'],
  'config-imports': ['src/config/planted.ts', '../platform/target.ts'],
  'telemetry-imports': ['src/telemetry/planted.ts', '../config/target.ts'],
  'platform-imports': ['src/platform/planted.ts', '../config/target.ts'],
  'systemd-imports': ['src/systemd/planted.ts', '../http/target.ts'],
  'hardware-imports': ['src/hardware/planted.ts', '../licensing/target.ts'],
  'catalog-imports': ['src/catalog/planted.ts', '../imaging/target.ts'],
  'imaging-imports': ['src/imaging/planted.ts', '../catalog/target.ts'],
  'licensing-imports': ['src/licensing/planted.ts', '../config/target.ts'],
  'worker-imports': ['src/worker/planted.ts', '../inference/target.ts'],
  'inference-imports': ['src/inference/planted.ts', '../http/target.ts'],
  'http-imports': ['src/http/planted.ts', '../config/target.ts'],
  'compose-imports': ['src/compose/planted.ts', '../cli/target.ts'],
  'cli-imports': ['src/cli/planted.ts', '../http/target.ts'],
  'koa-owner': ['src/core/koa.ts', 'koa'],
  'koa-router-owner': ['src/core/router.ts', '@koa/router'],
  'koa-cors-owner': ['src/core/cors.ts', '@koa/cors'],
  'piscina-owner': ['src/core/piscina.ts', 'piscina'],
  'onnxruntime-node-owner': ['src/core/ort.ts', 'onnxruntime-node'],
  'sharp-owner': ['src/core/sharp.ts', 'sharp'],
  'pino-owner': ['src/core/pino.ts', 'pino'],
  'prom-client-owner': ['src/core/prom.ts', 'prom-client'],
  'yaml-owner': ['src/core/yaml.ts', 'yaml'],
  'commander-owner': ['src/core/commander.ts', 'commander'],
  'read-owner': ['src/core/read.ts', 'read'],
  'd3-scale-owner': ['src/core/d3-scale.ts', 'd3-scale'],
  'node-machine-id-owner': ['src/licensing/machine-id.ts', 'node-machine-id'],
  'qr-owner': ['src/hardware/qr.ts', 'qr'],
  'systeminformation-owner': ['src/licensing/information.ts', 'systeminformation'],
};

interface Cruise {
  readonly summary: {
    readonly violations: readonly {
      readonly from: string;
      readonly rule: { readonly name: string };
    }[];
  };
}

/** `rule file` for everything that is reported in a small tree that breaks every rule once. */
const reported = new Set<string>();

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'edge-infer-architecture-'));
  const write = async (file: string, text: string) => {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    await writeFile(join(folder, file), text);
  };
  for (const file of ['.dependency-cruiser.js', 'tsconfig.json', 'package.json']) {
    await write(file, await readFile(join(packageRoot, file), 'utf8'));
  }
  for (const [file, imports] of Object.values(violations)) {
    await write(file, `import '${imports}';\n`);
    if (imports.endsWith('/target.ts')) {
      await write(join(dirname(file), imports), 'export const target = 1;\n');
    } else if (!imports.startsWith('.')) {
      await write(`node_modules/${imports}/package.json`, JSON.stringify({ main: 'index.js' }));
      await write(`node_modules/${imports}/index.js`, '');
    }
  }
  const program = join(packageRoot, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const { stdout } = await run(process.execPath, [program, '--output-type', 'json', 'src'], {
    cwd: folder,
  }).catch((error: { stdout: string }) => error); // violations make it exit non-zero
  for (const { from, rule } of (JSON.parse(stdout) as Cruise).summary.violations) {
    reported.add(`${rule.name} ${from}`);
  }
  await rm(folder, { recursive: true });
});

test('every rule says why it exists', () => {
  for (const { name, comment } of dependencyRules.forbidden) {
    expect(comment, name).toMatch(/^.{30,}\.$/);
  }
});

test('every rule has a planted violation', () => {
  expect(Object.keys(violations).toSorted()).toEqual(
    dependencyRules.forbidden.map(({ name }) => name).toSorted(),
  );
});

test.each(Object.entries(violations))('%s reports its violation', (rule, [file]) => {
  expect(reported).toContain(`${rule} ${file}`);
});
