import type { Peer } from '../peer.ts';

export const mlserver: Peer = {
  name: 'mlserver',
  title: 'MLServer',
  language: 'python',
  packages: ['mlserver', 'onnxruntime', 'pillow'],
  // Its adaptive batching is for its own protocol only, not for custom handlers.
  configurations: [
    {
      name: '2 parallel workers',
      environment: { MLSERVER_PARALLEL_WORKERS: '2', EXECUTOR_THREADS: '0' },
    },
    {
      name: 'no parallel workers, 2 classifying threads',
      environment: { MLSERVER_PARALLEL_WORKERS: '0', EXECUTOR_THREADS: '2' },
    },
    {
      name: 'no parallel workers, a session of 2 threads',
      environment: { MLSERVER_PARALLEL_WORKERS: '0', EXECUTOR_THREADS: '1', THREADS: '2' },
    },
  ],
  launch: ({ port, folder }) => ({
    command: ['mlserver', 'start', folder],
    environment: {
      MLSERVER_HOST: '127.0.0.1',
      MLSERVER_HTTP_PORT: `${port}`,
      MLSERVER_GRPC_PORT: `${port + 1}`,
      MLSERVER_METRICS_PORT: `${port + 2}`,
      MLSERVER_DEBUG: 'false', // which ends the line that it logs for every request
      MLSERVER_GZIP_ENABLED: 'false',
    },
  }),
};
