import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const require = createRequire(import.meta.url);

/**
 * Whether this installation has onnxruntime's CUDA execution provider, a file of its own beside the
 * runtime's library, which a CPU installation lacks. Whether a GPU works is only seen by using it.
 */
export function hasCudaProvider(): boolean {
  const packageFile = require.resolve('onnxruntime-node/package.json');
  const folder = join(dirname(packageFile), 'bin', 'napi-v6', process.platform, process.arch);
  return existsSync(join(folder, 'libonnxruntime_providers_cuda.so'));
}
