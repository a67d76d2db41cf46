import { bentoml } from './bentoml/peer.ts';
import { edgeInfer } from './edge-infer/peer.ts';
import { fastapi } from './fastapi/peer.ts';
import { litserve } from './litserve/peer.ts';
import { mlserver } from './mlserver/peer.ts';
import { nodeKoa } from './node-koa/peer.ts';
import type { Peer } from './peer.ts';
import { triton } from './triton/peer.ts';

/** In the order of the table's rows. */
export const peers: readonly Peer[] = [
  edgeInfer,
  fastapi,
  litserve,
  mlserver,
  bentoml,
  triton,
  nodeKoa,
];
