/** What the driver must know of a server to compare it with the others. */
export interface Peer {
  /** What `--only` takes; also the folder of its server file, if it has one. */
  readonly name: string;
  readonly title: string;
  /** Python peers have a `requirements.txt`, and with it a virtual environment of their own. */
  readonly language: 'python' | 'node';
  /** The packages whose versions the table states. */
  readonly packages: readonly string[];
  /** The path that takes the request; the wire's own unless the server fixes another. */
  readonly path?: string;
  /** Ways to use two cores that are tried; the fastest is measured. */
  readonly configurations: readonly Configuration[];
  launch(place: LaunchPlace): Launch;
  /** Finds the classes in an answer that is not laid out as the wire's. */
  readonly readResults?: (answer: unknown) => ClassScore[];
  /** What a running server says of itself that belongs under the table; `port` as at its launch. */
  readonly describe?: (port: number) => Promise<string>;
  /** Why its answers differ from the reference. Its row is then marked instead of left out. */
  readonly inexactBecause?: string;
}

export interface Configuration {
  readonly name: string;
  /** What the server file reads. `THREADS` is onnxruntime's intra-op threads a session, 1 if absent. */
  readonly environment: Readonly<Record<string, string>>;
}

interface LaunchPlace {
  /** Free, as are the two ports after it. */
  readonly port: number;
  /** `scripts/bench-peers/NAME` */
  readonly folder: string;
  readonly model: ModelFile;
}

interface Launch {
  /** The program is looked for in the peer's own environment first. */
  readonly command: readonly [program: string, ...args: string[]];
  readonly environment?: Readonly<Record<string, string>>;
}

/** One variant of the model: the same file for every server. */
export interface ModelFile {
  readonly variant: 'float32' | 'int8';
  readonly path: string;
}

/** A class of an answer, as the wire names it. */
export interface ClassScore {
  readonly name: string;
  readonly score: number;
}

export const WIRE_PATH = '/imagenet/ImageClassification';
