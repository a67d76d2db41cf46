import { expect, test } from 'vitest';
import { type Manifest, manifestSchema } from '../../src/catalog/manifest.ts';
import {
  chooseVariant,
  listVariants,
  manifestOfVariant,
  type VariantHost,
  type VariantPreference,
} from '../../src/catalog/variants.ts';
import { classifier, describeClassifier } from '../support/onnx-model.ts';
import { INT8_AGREEMENT, withInt8 } from './two-variants.ts';

const SHA256 = '0'.repeat(64);
const files = { 'model.onnx': SHA256, 'int8.onnx': SHA256, 'labels.en.json': SHA256 };
const plain = { ...describeClassifier(classifier()), files };
const only = manifestSchema.parse(plain);
const onlyInt8 = manifestSchema.parse({ ...plain, variant: 'int8' });
const both = manifestSchema.parse(
  withInt8(plain, { needs: { device: 'cpu', anyCpuFeature: ['avx512_vnni', 'avx_vnni'] } }),
);
const needsNothing = manifestSchema.parse(withInt8(plain, {}));

const cpu: VariantHost = { device: 'cpu', hasCudaProvider: false, cpuFeatures: ['x64', 'avx2'] };
const vnni: VariantHost = { ...cpu, cpuFeatures: ['x64', 'avx2', 'avx_vnni'] };
const LACKS_VNNI = 'expected a CPU with avx512_vnni or avx_vnni, found one without';

test.each<[string, Manifest, VariantPreference, VariantHost, string, string]>([
  ['float32', both, 'float32', vnni, 'float32', 'the configuration asks for it'],
  ['int8', both, 'int8', vnni, 'int8', 'the configuration asks for it'],
  ['auto with VNNI', both, 'auto', vnni, 'int8', 'auto: this host has what int8 needs'],
  ['auto without', both, 'auto', cpu, 'float32', `auto passed over int8: ${LACKS_VNNI}`],
  [
    'auto on a GPU',
    both,
    'auto',
    { ...vnni, device: 'cuda' },
    'float32',
    'auto passed over int8: expected device cpu, found device cuda',
  ],
  [
    'auto where there may be a GPU',
    both,
    'auto',
    { ...vnni, device: 'auto', hasCudaProvider: true },
    'float32',
    'auto passed over int8: expected device cpu, found device auto, which takes a GPU where it can',
  ],
  [
    'auto where device auto can only be the CPU',
    both,
    'auto',
    { ...vnni, device: 'auto' },
    'int8',
    'auto: this host has what int8 needs',
  ],
  [
    'int8 with device auto, whatever cards there may be',
    both,
    'int8',
    { ...vnni, device: 'auto', hasCudaProvider: true },
    'int8',
    'the configuration asks for it',
  ],
  [
    'auto for a variant that needs nothing',
    needsNothing,
    'auto',
    { ...cpu, device: 'cuda' },
    'int8',
    'auto: this host has what int8 needs',
  ],
  ['the default for a single variant', only, 'float32', cpu, 'float32', 'the model has no other'],
  ['auto for a single variant', only, 'auto', vnni, 'float32', 'the model has no other'],
  ['the default for int8 alone', onlyInt8, 'float32', cpu, 'int8', 'the model has no other'],
  ['int8 for int8 alone', onlyInt8, 'int8', cpu, 'int8', 'the configuration asks for it'],
])('%s', (_case, manifest, wanted, host, name, reason) => {
  expect(chooseVariant(manifest, wanted, host)).toMatchObject({
    ok: true,
    value: { name, reason },
  });
});

test.each<[string, Manifest, VariantHost, string]>([
  [
    'a model without it',
    only,
    vnni,
    'variant: expected one that test-model has (float32), found int8; set "variant" to one of these or to auto',
  ],
  [
    'a CPU without what it needs',
    both,
    cpu,
    `variant int8: ${LACKS_VNNI}; set "variant" to float32, or to auto to have int8 only where it can run`,
  ],
  [
    'a GPU',
    both,
    { ...vnni, device: 'cuda' },
    'variant int8: expected device cpu, found device cuda; set "variant" to float32, or to auto to have int8 only where it can run',
  ],
])('int8 is refused for %s', (_case, manifest, host, error) => {
  expect(chooseVariant(manifest, 'int8', host)).toEqual({ ok: false, error });
});

test('the choice tells how the variant agrees with the reference', () => {
  expect(chooseVariant(both, 'auto', vnni)).toMatchObject({ value: { agreement: INT8_AGREEMENT } });
  const reference = chooseVariant(both, 'float32', vnni);
  expect(reference.ok && 'agreement' in reference.value).toBe(false);
});

test('a manifest without variants is one of float32', () => {
  expect(listVariants(only)).toMatchObject([{ name: 'float32', model: 'model.onnx' }]);
  expect(only.variant).toBe('float32');
});

test('seen as one variant, a manifest has its graph, its golden examples and all that is shared', () => {
  const int8 = manifestOfVariant(both, 'int8');
  const { model, golden, variant, variants, ...shared } = both;
  expect(int8).toEqual({
    ...shared,
    variant: 'int8',
    model: 'int8.onnx',
    golden: variants?.int8.golden,
  });
  expect(manifestOfVariant(both, 'float32')).toEqual({ ...shared, model, golden, variant });
});
