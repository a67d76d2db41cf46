import { readFile, statfs } from 'node:fs/promises';
import {
  arch,
  availableParallelism,
  cpus,
  freemem,
  release,
  totalmem,
  type,
  uptime,
  version,
} from 'node:os';
import { readCpuFeatures } from '../../platform/cpu-features.ts';
import { readPackageInfo } from '../../platform/package-info.ts';

/** What this host is, as far as it explains how a server behaves; no names and no numbers of its own. */
export async function describeHostFacts(): Promise<string> {
  const { version: own, runtimeVersion } = readPackageInfo();
  const processors = cpus();
  const features = await readCpuFeatures();
  const report = process.report.getReport() as { header?: { glibcVersionRuntime?: string } };
  const facts = {
    edgeInfer: own,
    node: process.versions.node,
    onnxruntime: runtimeVersion,
    system: `${type()} ${release()} ${arch()}`,
    kernel: version(),
    glibc: report.header?.glibcVersionRuntime ?? null,
    uptimeS: Math.round(uptime()),
    processor: processors[0]?.model ?? null,
    processors: processors.length,
    usableProcessors: availableParallelism(),
    memoryBytes: totalmem(),
    freeMemoryBytes: freemem(),
    cpuFeatures: features.join(' '),
    transparentHugePages: await readLine('/sys/kernel/mm/transparent_hugepage/enabled'),
    cgroup: await readLine('/proc/self/cgroup'),
    nvidiaDriver: await readLine('/proc/driver/nvidia/version'),
    osRelease: await readLine('/etc/os-release'),
    rootFileSystem: await describeRoot(),
  };
  return `${JSON.stringify(facts, null, 2)}\n`;
}

async function describeRoot(): Promise<object> {
  const { type: kind, bsize, blocks, bavail, files, ffree } = await statfs('/');
  return {
    magic: `0x${kind.toString(16)}`,
    bytes: bsize * blocks,
    freeBytes: bsize * bavail,
    files,
    freeFiles: ffree,
  };
}

async function readLine(path: string): Promise<string | null> {
  try {
    return (await readFile(path, 'utf8')).trim();
  } catch {
    return null;
  }
}
