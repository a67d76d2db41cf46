/** Texts that makers leave where a serial number belongs, in lower case, letters and digits only. */
const placeholders = new Set([
  'assettag',
  'baseboardserialnumber',
  'boardserialnumber',
  'chassisserialnumber',
  'default',
  'defaultstring',
  'empty',
  'filledbyoem',
  'invalid',
  'mb1234567890',
  'noassettag',
  'noassetinformation',
  'none',
  'noserialnumber',
  'notapplicable',
  'notavailable',
  'notprovided',
  'notset',
  'notspecified',
  'null',
  'oemdefault',
  'productserialnumber',
  'serial',
  'serialnumber',
  'standard',
  'systemserialnumber',
  'test',
  'tobefilledbyoem',
  'tobefilledbyoemby',
  'type1systemserialnumber',
  'type2boardserialnumber',
  'undefined',
  'uninitialized',
  'unknown',
  'unspecified',
]);

/** UUIDs that makers ship in many machines: sample values of firmware kits and blank service tags. */
const knownUuids = new Set([
  '00020003-0004-0005-0006-000700080009',
  '03000200-0400-0500-0006-000700080009',
  '01020304-0506-0708-090a-0b0c0d0e0f10',
  '01234567-89ab-cdef-0123-456789abcdef',
  '12345678-1234-5678-90ab-cddeefaabbcc',
  '12345678-1234-1234-1234-123456789abc',
  '4c4c4544-0000-2010-8020-80c04f202020',
  '44454c4c-0000-2010-8020-80c04f202020',
  'deadbeef-dead-beef-dead-beefdeadbeef',
]);

/** Addresses of sample firmware, found in many cards. */
const knownAddresses = new Set([
  '000000000000',
  '001122334455',
  '000102030405',
  '00e04c680001',
  '012345678900',
  '0123456789ab',
  '123456789abc',
  '123456123456',
  '665544332211',
  'aabbccddeeff',
]);

/** Whether a serial number says nothing: a placeholder, digits in a row, too little of anything. */
export function isJunkSerial(serial: string): boolean {
  const letters = serial.toLowerCase().replaceAll(/[^a-z0-9]/g, '');
  return (
    letters.length < 4 ||
    placeholders.has(letters) ||
    isMonotonous(letters) ||
    // Disks of emulators, numbered in each machine alike.
    /^qm0{2,}\d+$/.test(letters) ||
    /drive(scsi|ide|virtio|sata)\d+$/.test(letters) ||
    /^persistentdisk\d+$/.test(letters)
  );
}

export function isJunkUuid(uuid: string): boolean {
  return knownUuids.has(uuid) || isMonotonous(uuid.replaceAll('-', ''));
}

/** `address`: 12 hexadecimal digits in lower case. */
export function isJunkAddress(address: string): boolean {
  return knownAddresses.has(address) || isMonotonous(address);
}

/** One or two different characters, or the digits counted up. */
function isMonotonous(letters: string): boolean {
  return (
    new Set(letters).size <= 2 ||
    '0123456789abcdef'.startsWith(letters) ||
    '1234567890123456789012345678901234567890'.startsWith(letters)
  );
}
