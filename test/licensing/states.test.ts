import { expect, test } from 'vitest';
import { type LicenseState, licenseStates } from '../../src/licensing/states.ts';

const entries = Object.entries(licenseStates);
const states = entries.map(([state]) => state as LicenseState);
const ofClass = (name: string) =>
  entries.filter(([, facts]) => facts.class === name).map(([state]) => state);

test('the states are those of the design, each in its class', () => {
  expect(ofClass('valid')).toEqual(['VALID', 'TRIAL']);
  expect(ofClass('warning')).toEqual(['EXPIRING', 'HARDWARE_DRIFT', 'CLOCK_SUSPECT']);
  expect(ofClass('refused').toSorted()).toEqual([
    ...['BAD_SIGNATURE', 'CHECKING', 'CLOCK_ROLLBACK', 'CONTAINER_DENIED', 'EXPIRED'],
    ...[
      'GPU_MISMATCH',
      'GPU_NOT_FOUND',
      'HARDWARE_MISMATCH',
      'MALFORMED',
      'NOT_FOUND',
      'NOT_YET_VALID',
    ],
    ...['PRODUCT_MISMATCH', 'REVOKED', 'UNKNOWN_KEY', 'VERSION_NOT_COVERED'],
  ]);
});

test('only what may still come is worth another try', () => {
  const faults = entries.map(([state, facts]) => [state, 'fault' in facts ? facts.fault : '']);
  expect(faults.filter(([, fault]) => fault === 'UNAVAILABLE')).toEqual([
    ['GPU_NOT_FOUND', 'UNAVAILABLE'],
    ['CHECKING', 'UNAVAILABLE'],
  ]);
  expect(faults.filter(([, fault]) => fault === 'LICENSE_REFUSED')).toHaveLength(13);
});

test('every state is told in a sentence', () => {
  for (const state of states) {
    expect(licenseStates[state].meaning, state).toMatch(/^[A-Z].{15,80}\.$/);
  }
});
