import { readFile } from 'node:fs/promises';
import { hasCudaProvider } from '../../../platform/cuda-provider.ts';
import type { Check } from '../check.ts';
import { type Finding, fine, note, problem, warning } from '../finding.ts';
import type { HostView } from '../host-view.ts';

const DRIVER_FILE = '/proc/driver/nvidia/version';

/** What is asked to run the models, what does, and what there is. */
export const deviceCheck: Check = {
  name: 'device',
  async run(host) {
    const driver = await readDriver();
    const hasProvider = hasCudaProvider();
    return [
      ...describeServices(host, driver),
      ...describeDriver(driver, hasProvider),
      ...describeImaging(host),
    ];
  },
};

async function readDriver(): Promise<string | undefined> {
  try {
    const text = await readFile(DRIVER_FILE, 'latin1');
    return /Kernel Module\s+(?:for \S+\s+)?(\d[\d.]*)/.exec(text)?.[1] ?? 'of an unknown version';
  } catch {
    return undefined; // no driver, or none for this process
  }
}

function describeServices({ config, server }: HostView, driver: string | undefined): Finding[] {
  const running = new Map(
    server.ok ? server.value.services.map((service) => [service.deployName, service]) : [],
  );
  return (config?.services ?? []).map(({ deployName, device: wanted }) => {
    const { device, deviceReason = '' } = running.get(deployName) ?? {};
    if (device === undefined) {
      return fine(`${deployName}: device ${wanted} is configured; nothing runs to compare with`);
    }
    const text = `${deployName}: ${device} runs the model, ${wanted} is configured (${deviceReason})`;
    if (wanted === 'cuda' && device !== 'cuda') {
      return problem(text, 'Answers take longer than planned.', 'nvidia-smi');
    }
    return wanted === 'auto' && device === 'cpu' && driver !== undefined
      ? note(text, 'There is a graphics card that is not used.', 'nvidia-smi')
      : fine(text);
  });
}

function describeDriver(driver: string | undefined, hasProvider: boolean): Finding[] {
  if (driver === undefined) {
    return hasProvider
      ? [
          warning(
            'this installation can use a CUDA card, and no NVIDIA driver is loaded',
            'The models run on the CPU.',
            'sudo modprobe nvidia && nvidia-smi',
          ),
        ]
      : [];
  }
  return [
    hasProvider
      ? fine(`NVIDIA driver ${driver}`)
      : note(
          `NVIDIA driver ${driver}; this installation is the one for CPUs`,
          'The card is not used.',
        ),
  ];
}

function describeImaging({ server }: HostView): Finding[] {
  const services = server.ok ? server.value.services : [];
  return services
    .filter(({ imaging }) => imaging === 'portable')
    .map(({ deployName, imagingReason }) =>
      note(
        `${deployName}: images are prepared the portable way (${imagingReason})`,
        'The answers are the same; preparing takes about twice the time.',
      ),
    );
}
