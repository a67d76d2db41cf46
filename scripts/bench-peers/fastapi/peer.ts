import type { Peer } from '../peer.ts';

const uvicorn = 'uvicorn server:app --loop uvloop --http httptools --no-access-log';

export const fastapi: Peer = {
  name: 'fastapi',
  title: 'FastAPI',
  language: 'python',
  packages: ['fastapi', 'uvicorn', 'uvloop', 'orjson', 'onnxruntime', 'pillow', 'numpy'],
  configurations: [
    {
      name: '2 processes, 1 classifying thread each',
      environment: { WEB_CONCURRENCY: '2', EXECUTOR_THREADS: '1' },
    },
    {
      name: '1 process, 2 classifying threads',
      environment: { WEB_CONCURRENCY: '1', EXECUTOR_THREADS: '2' },
    },
    {
      name: '1 process, a session of 2 threads',
      environment: { WEB_CONCURRENCY: '1', EXECUTOR_THREADS: '1', THREADS: '2' },
    },
  ],
  launch: ({ port, folder }) => ({
    command: [
      ...(uvicorn.split(' ') as [string, ...string[]]),
      '--log-level=warning',
      `--app-dir=${folder}`,
      `--port=${port}`,
    ],
  }),
};
