import { availableParallelism, cpus, release, totalmem, type } from 'node:os';
import { readPackageInfo } from '../../platform/package-info.ts';
import type { HostFacts, ServiceFacts } from './report.ts';

const MIB = 1024 ** 2;

/** What the figures were measured on and with. */
export function describeHost(): HostFacts {
  const processors = cpus();
  const { version, runtimeVersion } = readPackageInfo();
  return {
    cpu: processors[0]?.model.replace(/\s+/g, ' ').trim() ?? 'unknown',
    processors: processors.length,
    usableProcessors: availableParallelism(),
    memoryMib: Math.round(totalmem() / MIB),
    system: `${type()} ${release()}`,
    edgeInfer: version,
    node: process.versions.node,
    onnxruntime: runtimeVersion,
  };
}

/** Asks a server of one service what it runs. */
export async function askServiceFacts(adminUrl: string): Promise<ServiceFacts> {
  const response = await fetch(`${adminUrl}/readyz`);
  const { services } = (await response.json()) as { services: [ServiceFacts] };
  const { deployName, model, modelVersion, modelSha256, workers, threads, ...more } = services[0];
  const { variant, variantReason, device, deviceReason, imaging, imagingReason } = more;
  return {
    deployName,
    model,
    modelVersion,
    modelSha256,
    variant,
    variantReason,
    workers,
    threads,
    device,
    deviceReason,
    imaging,
    imagingReason,
  };
}
