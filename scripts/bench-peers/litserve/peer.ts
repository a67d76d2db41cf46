import type { Peer } from '../peer.ts';

export const litserve: Peer = {
  name: 'litserve',
  title: 'LitServe',
  language: 'python',
  packages: ['litserve', 'onnxruntime', 'pillow'],
  configurations: [
    {
      name: '2 workers, 1 API server, ZeroMQ',
      environment: { WORKERS: '2', API_SERVERS: '1', FAST_QUEUE: '1', MAX_BATCH: '1' },
    },
    {
      name: '2 workers, 2 API servers, ZeroMQ',
      environment: { WORKERS: '2', API_SERVERS: '2', FAST_QUEUE: '1', MAX_BATCH: '1' },
    },
    {
      name: '2 workers, 1 API server, its own queue',
      environment: { WORKERS: '2', API_SERVERS: '1', FAST_QUEUE: '0', MAX_BATCH: '1' },
    },
    {
      name: '2 workers, batches of up to 4',
      environment: { WORKERS: '2', API_SERVERS: '1', FAST_QUEUE: '1', MAX_BATCH: '4' },
    },
    {
      name: '1 worker, a session of 2 threads',
      environment: {
        WORKERS: '1',
        API_SERVERS: '1',
        FAST_QUEUE: '1',
        MAX_BATCH: '1',
        THREADS: '2',
      },
    },
  ],
  launch: ({ folder }) => ({ command: ['python', `${folder}/server.py`] }),
};
