import type { Peer } from '../peer.ts';

export const nodeKoa: Peer = {
  name: 'node-koa',
  title: 'Node, first attempt (koa, sharp, cluster)',
  language: 'node',
  packages: ['koa', 'sharp', 'onnxruntime-node'],
  configurations: [
    { name: '2 processes', environment: { PROCESSES: '2' } },
    { name: '1 process, a session of 2 threads', environment: { PROCESSES: '1', THREADS: '2' } },
  ],
  launch: ({ folder }) => ({ command: ['node', `${folder}/server.ts`] }),
  inexactBecause: 'sharp resizes differently from Pillow',
};
