import { readFile } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { readBytes, SERVICE_UNIT, type Unit } from '../../units/units.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, problem, warning } from '../finding.ts';
import { formatBytes } from '../format-units.ts';
import type { HostView } from '../host-view.ts';

const SCARCE_BYTES = 256 * 1024 ** 2;
/** Of the limit above which the system takes memory back. */
const NEAR_LIMIT = 0.9;

/** The host's memory, what of it the service may have, and what it has. */
export const memoryCheck: Check = {
  name: 'memory',
  async run(host) {
    return [await describeHost(), ...(await describeService(host))];
  },
};

async function describeHost(): Promise<Finding> {
  const available = readKib(await readFile('/proc/meminfo', 'latin1'), 'MemAvailable');
  const text = `${formatBytes(totalmem())} of memory`;
  if (available === undefined) {
    return fine(text);
  }
  const withFree = `${text}, ${formatBytes(available)} available`;
  return available < SCARCE_BYTES
    ? warning(
        withFree,
        'The system may soon end programs for want of memory; this one is not spared.',
        'ps -eo rss,comm --sort=-rss | head',
      )
    : fine(withFree);
}

async function describeService({ unit }: HostView): Promise<Finding[]> {
  const service = unit(SERVICE_UNIT);
  const processId = service?.get('MainPID') ?? '0';
  if (service === undefined || processId === '0') {
    return [];
  }
  const status = await readFile(`/proc/${processId}/status`, 'latin1').catch(() => '');
  const resident = readKib(status, 'VmRSS');
  const most = readKib(status, 'VmHWM');
  const used = readBytes(service, 'MemoryCurrent') ?? resident;
  const text = [
    ...(resident === undefined ? [] : [`the service's process has ${formatBytes(resident)}`]),
    ...(most === undefined ? [] : [`at most ${formatBytes(most)}`]),
    describeLimits(service),
  ].join(', ');
  const limit = readBytes(service, 'MemoryHigh') ?? readBytes(service, 'MemoryMax');
  const isNear = used !== undefined && limit !== undefined && used > NEAR_LIMIT * limit;
  return [
    service.get('Result') === 'oom-kill'
      ? problem(
          `the service was ended for want of memory; ${text}`,
          'Fewer workers or services take less; so does variant int8.',
          'sudo systemctl edit edge-infer',
        )
      : isNear
        ? warning(
            text,
            'It is near its limit, where it becomes slow.',
            'sudo systemctl edit edge-infer',
          )
        : fine(text),
  ];
}

function describeLimits(service: Unit): string {
  const high = readBytes(service, 'MemoryHigh');
  const max = readBytes(service, 'MemoryMax');
  const limits = [
    ...(high === undefined ? [] : [`slowed down above ${formatBytes(high)}`]),
    ...(max === undefined ? [] : [`ended above ${formatBytes(max)}`]),
  ];
  return limits.length === 0 ? 'no limit' : limits.join(', ');
}

/** A value of a file such as /proc/meminfo, in bytes. */
function readKib(text: string, name: string): number | undefined {
  const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(text)?.[1];
  return kib === undefined ? undefined : Number(kib) * 1024;
}
