import { Agent } from 'node:http';
import { join } from 'node:path';
import { post } from '../bench/post.ts';
import { compareAnswers, findFault, readResults } from './answers.ts';
import { readNodeVersions, readPythonVersions, setUpEnvironment } from './environment.ts';
import type { Material } from './material.ts';
import { measureIdleShare } from './measure.ts';
import type { ClassScore, Configuration, ModelFile, Peer } from './peer.ts';
import { type Server, startServer } from './server.ts';

/** A peer that takes part, with all that starting it needs. */
export interface Entrant {
  readonly peer: Peer;
  readonly versions: readonly string[];
  /** Where its programs are, if it has an environment of its own. */
  readonly bin: string | undefined;
  readonly workingFolder: string;
}

/** What to start, and what to compare its answers with. */
export interface CheckedStart {
  readonly entrant: Entrant;
  readonly configuration: Configuration;
  readonly model: ModelFile;
  readonly material: Material;
  /** The right answer to each of the material's photos. */
  readonly reference: readonly (readonly ClassScore[])[];
}

/** A started server whose answers were found right. */
export interface CheckedServer extends Server {
  readonly remarks: readonly string[];
  /** Whether it is to be halted while others are measured. */
  readonly isRestless: boolean;
  findFault(body: number, answer: string): string | undefined;
}

/** The share of a core above which an idle server would disturb the others' measurements. */
const RESTLESS_SHARE = 0.02;

/** Sets a peer up; `environments` holds a virtual environment for each Python peer. */
export async function enter(
  peer: Peer,
  environments: string,
  workingFolder: string,
): Promise<Entrant> {
  const own = { peer, workingFolder: join(workingFolder, peer.name) };
  if (peer.language === 'node') {
    return { ...own, bin: undefined, versions: await readNodeVersions(peer.packages) };
  }
  const bin = await setUpEnvironment(join(environments, peer.name), peer);
  return { ...own, bin, versions: await readPythonVersions(bin, peer.packages) };
}

/** Starts an entrant and sends it every photo; a wrong answer is an error. */
export async function startChecked(start: CheckedStart): Promise<CheckedServer> {
  const { entrant, configuration, model, material, reference } = start;
  const { peer, bin, workingFolder } = entrant;
  const [body] = material.bodies as [Uint8Array];
  const { labelsFile } = material;
  const server = await startServer({
    ...{ peer, configuration, model, labelsFile, bin, body },
    workingFolder: `${workingFolder}-${model.variant}`,
  });
  const findItsFault = (index: number, answer: string) =>
    findFault(peer, reference[index] ?? [], answer);
  try {
    const answers = await askEach(server, material.bodies);
    for (const [index, answer] of answers.entries()) {
      const fault = findItsFault(index, answer);
      if (fault !== undefined) {
        throw new Error(`photo ${index + 1} of ${answers.length}: ${fault}`);
      }
    }
    const idleShare = await measureIdleShare(server);
    const isRestless = idleShare > RESTLESS_SHARE;
    return {
      ...server,
      isRestless,
      findFault: findItsFault,
      remarks: [
        ...(peer.describe === undefined ? [] : [await peer.describe(server.port)]),
        ...describeInexactness(peer, reference, answers),
        ...(isRestless
          ? [
              `idle it takes ${Math.round(idleShare * 100)} % of a core, so it is halted between its turns`,
            ]
          : []),
      ],
    };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

async function askEach(server: Server, bodies: readonly Uint8Array[]): Promise<string[]> {
  const agent = new Agent({ keepAlive: true });
  const answers: string[] = [];
  for (const body of bodies) {
    answers.push(await post(server.url, agent, body));
  }
  agent.destroy();
  return answers;
}

/** For a peer whose answers may differ: by how much they do. */
function describeInexactness(
  peer: Peer,
  reference: readonly (readonly ClassScore[])[],
  answers: readonly string[],
): string[] {
  if (peer.inexactBecause === undefined) {
    return [];
  }
  const agreements = answers.map((answer, index) =>
    compareAnswers(reference[index] ?? [], readResults(peer, answer)),
  );
  const flips = agreements.filter(({ sameFirstClass }) => !sameFirstClass).length;
  const largest = Math.max(...agreements.map(({ largestDifference }) => largestDifference));
  return [
    `wrong answers: ${peer.inexactBecause}; another first class for ${flips} of ${answers.length} photos, scores up to ${largest.toFixed(3)} off`,
  ];
}
