import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface PackageInfo {
  /** Absolute path of the folder that holds `package.json`. */
  readonly root: string;
  readonly version: string;
  /** The pinned version of onnxruntime-node. */
  readonly runtimeVersion: string;
}

/** Reads what this installation is from its own `package.json`. */
export function readPackageInfo(): PackageInfo {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { version, dependencies } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  ) as { version: string; dependencies: Record<string, string> };
  return { root, version, runtimeVersion: dependencies['onnxruntime-node'] ?? 'unknown' };
}
