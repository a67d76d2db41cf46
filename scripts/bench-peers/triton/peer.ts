import type { Peer } from '../peer.ts';

interface GeneratedAnswer {
  readonly name: string[];
  readonly score: number[];
}

export const triton: Peer = {
  name: 'triton',
  title: 'Triton, Python backend',
  language: 'python',
  packages: ['nvidia-pytriton', 'onnxruntime', 'pillow', 'numpy'],
  // Its HTTP front speaks its own protocols; this one takes the wire's request as it is.
  path: '/v2/models/imagenet/generate',
  configurations: [
    { name: '2 instances', environment: { INSTANCES: '2' } },
    {
      name: '1 instance, a session of 2 threads',
      environment: { INSTANCES: '1', THREADS: '2' },
    },
  ],
  launch: ({ folder }) => ({ command: ['python', `${folder}/server.py`] }),
  readResults(answer) {
    const { name, score } = answer as GeneratedAnswer;
    return name.map((text, rank) => ({ name: text, score: score[rank] ?? Number.NaN }));
  },
};
