import { expect, test } from 'vitest';
import { normaliseSerial, normaliseUuid } from '../../src/hardware/dmi.ts';
import { isJunkAddress } from '../../src/hardware/junk-values.ts';
import { normaliseMachineId } from '../../src/hardware/machine-id.ts';

test.each([
  'To be filled by O.E.M.',
  'TO BE FILLED BY O.E.M',
  'Default string',
  'System Serial Number',
  'Not Specified',
  'None',
  'N/A',
  '',
  '   \n',
  '0',
  '0000000000',
  'XXXXXXXX',
  '................',
  '123456789',
  '0123456789ABCDEF',
  'QM00001',
  '0QEMU QEMU HARDDISK drive-scsi0',
  'persistent-disk-0',
])('%j is no serial number', (text) => {
  expect(normaliseSerial(text)).toBeUndefined();
});

test.each([
  ['  s64fne0r802972      \n', 'S64FNE0R802972'],
  ['VMware-42 1e 24 a6\tb0', 'VMWARE-42 1E 24 A6 B0'],
  ['10000000a1b2c3d4\0', '10000000A1B2C3D4'],
])('%j is a serial number', (text, normalised) => {
  expect(normaliseSerial(text)).toBe(normalised);
});

test.each([
  '00000000-0000-0000-0000-000000000000',
  'FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF',
  'FEFEFEFE-FEFE-FEFE-FEFE-FEFEFEFEFEFE',
  '03000200-0400-0500-0006-000700080009',
  '12345678-1234-5678-90AB-CDDEEFAABBCC',
  'Not Settable',
  '4c4c4544-0034-5910-8052',
])('%s is no UUID of a machine', (text) => {
  expect(normaliseUuid(text)).toBeUndefined();
});

test('a UUID that holds no more than a network address tells hosts apart', () => {
  const uuid = '00000000-0000-0000-0000-3CECEF9A41D6';
  expect(normaliseUuid(`${uuid}\n`)).toBe(uuid.toLowerCase());
});

test.each(['000000000000', 'ffffffffffff', '001122334455', '0123456789ab'])(
  '%s is no address of a card',
  (address) => {
    expect(isJunkAddress(address)).toBe(true);
  },
);

test.each(['uninitialized', '', 'vm', '00000000000000000000000000000000', '8f2b1c0d'])(
  '%j is no machine id',
  (text) => {
    expect(normaliseMachineId(text)).toBeUndefined();
  },
);
