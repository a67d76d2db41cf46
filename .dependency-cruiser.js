// The folder tree is the architecture; these rules keep it true. Each says why it exists, and
// test/architecture.test.ts plants a violation of each and sees it reported.

/** A folder of src and the folders it may import; names of single files are in `toPath`. */
const allowed = {
  core: [],
  config: ['core'],
  telemetry: ['core'],
  platform: ['core'],
  systemd: ['core', 'native-bindings'],
  hardware: ['core'],
  catalog: ['core'],
  imaging: ['core', 'native-bindings'],
  licensing: ['core', 'hardware', 'platform'],
  worker: ['core', 'catalog', 'imaging', 'protocol', 'native-bindings', 'cuda-provider'],
  inference: ['core', 'catalog', 'telemetry'],
  http: ['core', 'inference', 'telemetry'],
  compose: [
    ...['core', 'config', 'catalog', 'http', 'inference', 'licensing', 'platform', 'systemd'],
    'telemetry',
  ],
  cli: [
    ...['core', 'config', 'catalog', 'hardware', 'imaging', 'inference', 'licensing', 'platform'],
    ...['systemd', 'telemetry', 'compose'],
  ],
};

const reasons = {
  core: 'core holds plain data and pure functions that anything may use; importing back would make a knot.',
  config: 'the configuration is loaded before anything else exists, so it can need nothing else.',
  telemetry:
    'logs and metrics are told what happened; looking it up would couple them to everything.',
  platform: 'what the operating system offers is independent of what this program does with it.',
  systemd:
    'how a service manager is spoken to is independent of what is served; of the system it knows the addon, which can send what Node cannot.',
  hardware:
    'what a host is made of is read without knowing what it is compared with, and raw serial numbers stay where they are read.',
  catalog: 'what lies in models/ can be read and checked without running anything.',
  imaging:
    'preprocessing is a pure function of bytes and recipe; of the system it knows the addon that can stand in for its kernels.',
  licensing:
    'whether a licence is in force follows from files, facts and a clock that it is given, whoever serves or asks.',
  worker:
    'a worker thread knows one model and no server; it is loaded by URL and spoken to in protocol.ts.',
  inference: 'queues and pools serve HTTP and the command line alike, so they know neither.',
  http: 'the wire is one way in among others: it uses services and never builds or configures them.',
  compose:
    'the server is put together for any front, and workers are loaded by URL into threads of their own.',
  cli: 'commands read the configuration and let compose build; they never wire parts themselves. Of imaging they take pure functions, to try other recipes.',
};

/** Packages with one owner folder, so that replacing one touches one folder. */
const owners = {
  koa: 'http',
  '@koa/router': 'http',
  '@koa/cors': 'http',
  piscina: 'inference',
  'onnxruntime-node': 'worker',
  sharp: 'imaging',
  pino: 'telemetry',
  'prom-client': 'telemetry',
  yaml: 'config',
  commander: 'cli',
  read: 'cli',
  'd3-scale': 'cli',
  'node-machine-id': 'hardware',
  systeminformation: 'hardware',
  qr: 'licensing',
};

const toPath = (name) => {
  if (name === 'protocol') return '^src/inference/protocol\\.ts$';
  if (name === 'native-bindings') return '^src/platform/native-bindings\\.ts$';
  if (name === 'cuda-provider') return '^src/platform/cuda-provider\\.ts$';
  return `^src/${name}/`;
};

export default {
  forbidden: [
    {
      name: 'no-circular',
      comment: 'A cycle has no first part to read or to test.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'not-resolvable',
      comment:
        'An import that leads nowhere fails only when it is reached, perhaps on a customer’s server.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-dev-dependency-in-src',
      comment: 'Development packages are not on the server where src runs.',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'no-src-to-test-or-scripts',
      comment: 'What is installed on a server holds neither test/ nor scripts/.',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|scripts)/' },
    },
    ...Object.entries(allowed).map(([folder, targets]) => ({
      name: `${folder}-imports`,
      comment: reasons[folder],
      severity: 'error',
      from: { path: `^src/${folder}/` },
      to: { path: '^src/', pathNot: [folder, ...targets].map(toPath) },
    })),
    ...Object.entries(owners).map(([packageName, folder]) => ({
      name: `${packageName.replace(/\W+/g, '-').replace(/^-/, '')}-owner`,
      comment: `Only src/${folder} uses ${packageName}: one owner knows a package's quirks, and replacing it touches one folder.`,
      severity: 'error',
      from: { path: '^src/', pathNot: `^src/${folder}/` },
      to: { path: `^node_modules/${packageName}/` },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
