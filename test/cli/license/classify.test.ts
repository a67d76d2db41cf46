import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { createOperator } from './operator-fixture.ts';

const operator = await createOperator();
const { home, run, claims, write, licenses, release } = operator;
const image = join(release, 'models/efficientnet-lite0/golden/coffee.png');
const model = join(release, 'models/efficientnet-lite0');
await writeFile(
  join(home, 'two.yaml'),
  JSON.stringify({
    services: ['imagenet', 'flowers'].map((deployName) => ({ deployName, model })),
    workers: 1,
  }),
);

beforeEach(async () => {
  await rm(licenses, { recursive: true, force: true });
});

async function license(change: Readonly<Record<string, unknown>>): Promise<void> {
  await write(claims({ kind: 'permanent', ...change }), `${String(change.lic_id)}.lic`, licenses);
}

const classify = (...choice: readonly string[]) =>
  run('classify', image, '--top', '1', '--config', 'two.yaml', ...choice);

test.each([
  [[], /for deploy name flowers, the service is imagenet/],
  [['--service', 'imagenet'], /for deploy name flowers, the service is imagenet/],
  [['--service', 'flowers'], undefined],
  [['--model', model], undefined],
])('a licence for the second service, asked with %j', async (choice, refusal) => {
  await license({ lic_id: 'lic-flowers', deploy_name: 'flowers' });
  const { exitCode, stdout, stderr } = await classify(...choice);
  if (refusal === undefined) {
    expect(exitCode, stderr).toBe(0);
    expect(stdout).toContain('espresso');
  } else {
    expect({ exitCode, stdout }).toEqual({ exitCode: 77, stdout: '' });
    expect(stderr).toMatch(/^edge-infer: license PRODUCT_MISMATCH: /);
    expect(stderr).toMatch(refusal);
  }
});

test('a model given by its path is refused where no licence is for it, with each reason', async () => {
  await license({ lic_id: 'lic-imagenet', models: ['roses'] });
  const { exitCode, stdout, stderr } = await classify('--model', model);
  expect({ exitCode, stdout }).toEqual({ exitCode: 77, stdout: '' });
  expect(stderr).toMatch(
    /license PRODUCT_MISMATCH: the licence is for model roses, the service runs efficientnet-lite0\..+\n/,
  );
  expect(stderr).toMatch(
    /\nlicense PRODUCT_MISMATCH: the licence is for deploy name imagenet, the service is flowers\./,
  );
});
