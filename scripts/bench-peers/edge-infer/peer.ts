import { fileURLToPath } from 'node:url';
import { serverEnvironment } from '../../../src/platform/server-environment.js';
import type { Peer } from '../peer.ts';

const MAIN = fileURLToPath(new URL('../../../src/cli/main.ts', import.meta.url));

interface ReadyAnswer {
  readonly services: readonly { readonly imaging: string; readonly workers: number }[];
}

/** This project's server, as `npm start` runs it. */
export const edgeInfer: Peer = {
  name: 'edge-infer',
  title: 'edge-infer',
  language: 'node',
  packages: ['edge-infer', 'onnxruntime-node'],
  configurations: [{ name: 'as `npm start` runs it', environment: {} }],
  launch: ({ port, model }) => ({
    command: [
      'node',
      MAIN,
      'serve',
      `--port=${port}`,
      `--admin.port=${port + 1}`,
      '--log.level=warn',
      `--variant=${model.variant}`,
    ],
    environment: serverEnvironment,
  }),
  async describe(port) {
    const response = await fetch(`http://127.0.0.1:${port + 1}/readyz`);
    const { services } = (await response.json()) as ReadyAnswer;
    return services.map(({ imaging, workers }) => `imaging ${imaging}, ${workers} workers`).join();
  },
};
