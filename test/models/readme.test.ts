import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { manifestSchema } from '../../src/catalog/manifest.ts';
import { listManifestKeys } from '../../src/catalog/manifest-keys.ts';
import { packageRoot } from '../support/server.ts';

const readme = readFileSync(join(packageRoot, 'models/README.md'), 'utf8');
const section = readme.slice(readme.indexOf('## The manifest'), readme.indexOf('## Golden'));
const [, exampleText = ''] = /```json\n(.*?)```/s.exec(section) ?? [];

test('the table lists every key of a manifest, in the order of the schema, and no other', () => {
  const listed = [...section.matchAll(/^\| `([^`]+)` /gm)].map(([, key]) => key);
  expect(listed).toEqual(listManifestKeys());
});

test('the example is a valid manifest that leaves nothing to a default', () => {
  const example: unknown = JSON.parse(exampleText);
  expect(manifestSchema.parse(example)).toEqual(example);
});

test('the table tells which keys may be left out, and the defaults', () => {
  for (const [, key = '', given = ''] of section.matchAll(/^\| `([^`]+)` +\| +(.*?) +\|/gm)) {
    const example: unknown = JSON.parse(exampleText);
    if (given === 'depends' || !removeKey(example, key)) {
      continue; // also the keys of another resize mode, which the example does not have
    }
    const parsed = manifestSchema.safeParse(example);
    expect({ key, mayBeLeftOut: parsed.success }).toEqual({ key, mayBeLeftOut: given !== '—' });
    if (parsed.success && given.startsWith('`')) {
      const byDefault = `\`${valueAt(parsed.data, key)}\``;
      expect({ key, byDefault }).toEqual({ key, byDefault: given });
    }
  }
});

function removeKey(manifest: unknown, key: string): boolean {
  const path = pathOf(key);
  const last = path.pop() ?? '';
  const parent = valueAt(manifest, path.join('.'));
  return typeof parent === 'object' && parent !== null && Object.hasOwn(parent, last)
    ? Reflect.deleteProperty(parent, last)
    : false;
}

function valueAt(value: unknown, key: string): unknown {
  return pathOf(key).reduce<unknown>(
    (parent, part) =>
      typeof parent === 'object' && parent !== null ? Reflect.get(parent, part) : undefined,
    value,
  );
}

/** `examples[].image` to `examples`, `0`, `image`. */
function pathOf(key: string): string[] {
  return key
    .replaceAll('[]', '.0')
    .split('.')
    .filter((part) => part !== '');
}
