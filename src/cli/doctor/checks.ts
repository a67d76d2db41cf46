import type { Check } from './check.ts';
import { addressesCheck } from './checks/addresses.ts';
import { clockCheck } from './checks/clock.ts';
import { configurationCheck } from './checks/configuration.ts';
import { deviceCheck } from './checks/device.ts';
import { diskCheck } from './checks/disk.ts';
import { installationCheck } from './checks/installation.ts';
import { licenseCheck } from './checks/license.ts';
import { logCheck } from './checks/log.ts';
import { memoryCheck } from './checks/memory.ts';
import { modelsCheck } from './checks/models.ts';
import { releaseCheck } from './checks/release.ts';
import { releaseFilesCheck } from './checks/release-files.ts';
import { serverCheck } from './checks/server.ts';
import { unitCheck } from './checks/unit.ts';

/** Every check, in the order in which they are told. */
export const checks: readonly Check[] = [
  ...[releaseCheck, releaseFilesCheck, installationCheck, serverCheck, unitCheck],
  ...[configurationCheck, licenseCheck, modelsCheck, deviceCheck, addressesCheck],
  ...[diskCheck, memoryCheck, clockCheck, logCheck],
];
