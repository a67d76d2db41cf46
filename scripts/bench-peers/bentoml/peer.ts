import type { Peer } from '../peer.ts';

export const bentoml: Peer = {
  name: 'bentoml',
  title: 'BentoML',
  language: 'python',
  packages: ['bentoml', 'uvicorn', 'uvloop', 'onnxruntime', 'pillow'],
  configurations: [
    { name: '2 workers', environment: { WORKERS: '2', EXECUTOR_THREADS: '1' } },
    {
      name: '1 worker, 2 classifying threads',
      environment: { WORKERS: '1', EXECUTOR_THREADS: '2' },
    },
    {
      name: '1 worker, a session of 2 threads',
      environment: { WORKERS: '1', EXECUTOR_THREADS: '1', THREADS: '2' },
    },
  ],
  launch: ({ port, folder }) => ({
    command: [
      'bentoml',
      'serve',
      'server:Classifier',
      `--working-dir=${folder}`,
      '--host=127.0.0.1',
      `--port=${port}`,
    ],
    environment: { BENTOML_DO_NOT_TRACK: 'true' },
  }),
};
