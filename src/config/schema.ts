import { z } from 'zod';
import { deployNameExpected } from '../core/deploy-name.ts';
import { checkPorts, checkServiceNames, checkTimeouts } from './cross-checks.ts';
import {
  bytes,
  bytesExpected,
  corsOrigin,
  corsOriginExpected,
  DEFAULT_QUEUE_BYTES,
  deployName,
  host,
  hostExpected,
  keyHelp,
  path,
  pathExpected,
  port,
} from './values.ts';

// This file is the only source of keys, types, defaults, limits and help. The flags, the
// variables, the messages and README.md are read off it (see keys.ts).

const MAX_SERVICES = 64;

const device = () => z.enum(['auto', 'cpu', 'cuda']);
const variant = () => z.enum(['auto', 'float32', 'int8']);
const imaging = () => z.enum(['auto', 'native', 'portable']);
const workers = () => z.union([z.literal('auto'), z.int().min(1).max(64)]);
const threads = () => z.union([z.literal('auto'), z.int().min(1).max(64)]);
const deadlineMs = () => z.int().min(10).max(600_000);
const maxRequests = () => z.int().min(1).max(100_000);

const serviceQueue = z.strictObject({
  maxRequests: maxRequests()
    .exactOptional()
    .register(keyHelp, { help: '`queue.maxRequests` for this service.' }),
  maxBytes: bytes()
    .exactOptional()
    .register(keyHelp, { help: '`queue.maxBytes` for this service.', expected: bytesExpected }),
});

const service = z.strictObject({
  deployName: deployName().register(keyHelp, {
    help: 'The name that clients put into the request path; no two services may share one.',
    expected: deployNameExpected,
  }),
  model: path().register(keyHelp, {
    help: "The model: a folder's name under `modelsDir`, or, with a slash in it, a path.",
    expected: "a folder's name under modelsDir, or a path",
    path: 'when-it-has-a-slash',
  }),
  language: z.string().min(2).max(35).exactOptional().register(keyHelp, {
    help: "The language of the class names: that of one of the model's label files; the first of them unless said.",
    expected: 'a language tag such as en or zh',
  }),
  variant: variant().exactOptional().register(keyHelp, { help: '`variant` for this service.' }),
  device: device().exactOptional().register(keyHelp, { help: '`device` for this service.' }),
  workers: workers().exactOptional().register(keyHelp, { help: '`workers` for this service.' }),
  threads: threads().exactOptional().register(keyHelp, { help: '`threads` for this service.' }),
  deadlineMs: deadlineMs()
    .exactOptional()
    .register(keyHelp, { help: '`deadlineMs` for this service.' }),
  queue: serviceQueue
    .exactOptional()
    .register(keyHelp, { help: 'The waiting line of this service.' }),
});

const admin = z.strictObject({
  host: host().default('127.0.0.1').register(keyHelp, {
    help: 'The address on which health, metrics and administration are answered; keep it off networks you do not trust.',
    expected: hostExpected,
  }),
  port: port().default(24_402).register(keyHelp, {
    help: 'The TCP port of the administration listener; 0 takes any free one.',
  }),
});

const queue = z.strictObject({
  maxRequests: maxRequests().default(256).register(keyHelp, {
    help: 'How many requests may wait in a service; those beyond are refused at once as temporarily unavailable.',
  }),
  maxBytes: bytes().default(DEFAULT_QUEUE_BYTES).register(keyHelp, {
    help: 'How many bytes of request bodies may wait in a service.',
    expected: bytesExpected,
    defaultText: '256MiB',
  }),
});

const http = z.strictObject({
  statusCodes: z.enum(['compatible', 'semantic']).default('compatible').register(keyHelp, {
    help: '`compatible` answers failed requests with 200 and an error code in the body, as existing clients expect; `semantic` also sets a fitting HTTP status.',
  }),
  errorDetail: z.enum(['full', 'code']).default('full').register(keyHelp, {
    help: "`full` says what was expected and what came; `code` sends only the contract's own text.",
  }),
  corsOrigin: corsOrigin().default('*').register(keyHelp, {
    help: 'Which pages may call from a browser: any, none, or those of one origin.',
    expected: corsOriginExpected,
  }),
  headersTimeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .register(keyHelp, { help: "How long a client may take to send a request's headers." }),
  requestTimeoutMs: z.int().min(100).max(3_600_000).default(30_000).register(keyHelp, {
    help: 'How long a client may take to send a whole request; at least `http.headersTimeoutMs`.',
  }),
  // A pooled connection is reset under its client when the server closes it first, so this
  // outlasts the usual pools: Go 90 s, .NET 60 to 120 s, nginx and load balancers 60 s.
  keepAliveTimeoutMs: z.int().min(100).max(3_600_000).default(130_000).register(keyHelp, {
    help: "How long an idle connection is kept open; longer than the clients' pools keep theirs, or they see resets.",
  }),
  maxConnections: z.int().min(1).max(65_535).default(1024).register(keyHelp, {
    help: 'How many connections may be open at once; further ones are closed.',
  }),
});

const log = z.strictObject({
  level: z
    .enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal'])
    .default('info')
    .register(keyHelp, { help: 'The least severe messages that are written.', common: true }),
  format: z.enum(['auto', 'json', 'text']).default('auto').register(keyHelp, {
    help: '`json` is one object a line; `auto` is text on a terminal and in the journal of systemd, and JSON elsewhere.',
    common: true,
  }),
});

const license = z.strictObject({
  dir: path().exactOptional().register(keyHelp, {
    help: 'The folder where licence files lie; `licenses` in `stateDir` unless said.',
    expected: pathExpected,
    path: 'always',
  }),
  recordsDir: path().exactOptional().register(keyHelp, {
    help: "Where the second copy of the trial's records lies; unless said, in the folder where this user's programs keep their state. The first lies in `stateDir`.",
    expected: pathExpected,
    path: 'always',
  }),
});

/** The configuration as it is written: every key of the file, with its defaults and limits. */
export const configSchema = z
  .strictObject({
    host: host().default('127.0.0.1').register(keyHelp, {
      help: 'The address on which requests are answered; 0.0.0.0 for every network of this host.',
      expected: hostExpected,
      common: true,
    }),
    port: port().default(24_401).register(keyHelp, {
      help: 'The TCP port for requests; 0 takes any free one.',
      common: true,
    }),
    admin: admin.prefault({}).register(keyHelp, { help: 'The administration listener.' }),
    stateDir: path().default('./state').register(keyHelp, {
      help: 'The folder that the server writes to.',
      expected: pathExpected,
      path: 'always',
      common: true,
    }),
    modelsDir: path().default('./models').register(keyHelp, {
      help: 'The folder with one folder for each model.',
      expected: pathExpected,
      path: 'always',
      common: true,
    }),
    license: license.prefault({}).register(keyHelp, { help: 'Where licences are kept.' }),
    variant: variant().default('float32').register(keyHelp, {
      help: "Which variant of the models runs; `auto` is int8 where the model has it and this host has what it needs, else float32. A model's answers differ a little between them.",
      common: true,
    }),
    device: device().default('auto').register(keyHelp, {
      help: 'What runs the models; `auto` takes a CUDA GPU where a usable one is found.',
      common: true,
    }),
    imaging: imaging().default('auto').register(keyHelp, {
      help: 'What prepares the images; `auto` takes the native bindings where they are built, and else the portable way, which gives the same pixels but takes more time.',
    }),
    workers: workers().default('auto').register(keyHelp, {
      help: 'Worker threads of a service; `auto` is one for each processor that this process may use.',
      common: true,
    }),
    threads: threads().default('auto').register(keyHelp, {
      help: 'Threads on which a worker runs the model; `auto` is 1, which answers most requests a second; more of them answer a single request sooner.',
    }),
    deadlineMs: deadlineMs().default(10_000).register(keyHelp, {
      help: 'How long a request may take, waiting included, before it is given up.',
      common: true,
    }),
    queue: queue.prefault({}).register(keyHelp, { help: 'The waiting line of each service.' }),
    services: z
      .array(service)
      .min(1)
      .max(MAX_SERVICES)
      .default([{ deployName: 'imagenet', model: 'efficientnet-lite0' }])
      .register(keyHelp, {
        help: 'What is served: each entry is a model under a name of its own.',
        expected: `a list of 1 to ${MAX_SERVICES} services`,
      }),
    http: http.prefault({}).register(keyHelp, { help: 'The request listener.' }),
    drainTimeoutMs: z.int().min(0).max(600_000).default(20_000).register(keyHelp, {
      help: 'How long requests in progress may still take when the server stops.',
    }),
    log: log.prefault({}).register(keyHelp, { help: 'The log.' }),
  })
  .check(checkPorts, checkTimeouts, checkServiceNames);

/** What the schema makes of a file: defaults filled in, services not yet completed. */
export type WrittenConfig = z.output<typeof configSchema>;

type DeepReadonly<T> = {
  readonly [K in keyof T]: T[K] extends object ? DeepReadonly<T[K]> : T[K];
};

type WrittenService = WrittenConfig['services'][number];

/** One service with everything decided: what it leaves out is taken from the top level. */
export interface ServiceConfig
  extends Readonly<Required<Omit<WrittenService, 'queue' | 'language'>>> {
  /** Undefined: the model's first. */
  readonly language?: string | undefined;
  readonly queue: DeepReadonly<WrittenConfig['queue']>;
}

interface LicenseConfig {
  readonly dir: string;
  readonly recordsDir: string;
}

/**
 * The effective configuration. `stateDir` and `modelsDir` are absolute; a service's `model` is a
 * folder's name under `modelsDir` or an absolute path. Sizes are bytes, times milliseconds.
 */
export interface Config extends DeepReadonly<Omit<WrittenConfig, 'services' | 'license'>> {
  readonly license: LicenseConfig;
  readonly services: readonly ServiceConfig[];
}
