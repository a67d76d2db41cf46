import type { RequestListener } from 'node:http';
import cors from '@koa/cors';
import Router from '@koa/router';
import Koa, { type Context } from 'koa';
import { fault, wireErrors } from '../core/errors.ts';
import { answerFault, type Exchange } from './answer.ts';
import { answerHealth, createReadinessRoute, type HealthOptions } from './routes/health.ts';
import {
  createImageClassificationRoute,
  type RouteOptions,
} from './routes/image-classification.ts';

export interface AppOptions extends RouteOptions, Omit<HealthOptions, 'detail'> {
  /** Which pages may call: `*`, one origin, or `none`. */
  readonly corsOrigin: string;
}

/** What pages of other origins may read besides the answer itself. */
const EXPOSED_HEADERS = 'Retry-After';

/**
 * The service address: inference, and health in brief. A request to classify that names its service
 * as the configuration does goes straight to its route, which spares the main thread Koa, router and
 * CORS (scripts/README.md has the figures). All others find the same route through Koa.
 */
export function createServiceApp(options: AppOptions): RequestListener {
  const { corsOrigin } = options;
  const app = createApp(options);
  if (corsOrigin !== 'none') {
    app.use(
      cors({
        origin: corsOrigin,
        allowMethods: 'POST',
        exposeHeaders: EXPOSED_HEADERS,
        maxAge: 86_400,
      }),
    );
  }
  const classify = createImageClassificationRoute(options);
  const router = createRouter();
  addHealthRoutes(router, { ...options, detail: 'brief' });
  router.all('/:deployName/ImageClassification', (context) =>
    classify(context, context.params.deployName ?? ''),
  );
  const throughKoa = finishApp(app, router, '/{deploy name}/ImageClassification', options);

  const directPaths = new Map(
    [...options.services.keys()].map((deployName) => [
      `/${encodeURIComponent(deployName)}/ImageClassification`,
      deployName,
    ]),
  );
  return (req, res) => {
    const deployName = req.method === 'POST' ? directPaths.get(pathOf(req.url ?? '')) : undefined;
    if (deployName === undefined) {
      throughKoa(req, res);
      return;
    }
    if (corsOrigin !== 'none') {
      res.setHeader('Vary', 'Origin');
      res.setHeader('Access-Control-Allow-Origin', corsOrigin);
      res.setHeader('Access-Control-Expose-Headers', EXPOSED_HEADERS);
    }
    const exchange = { req, res };
    classify(exchange, deployName).catch((error: unknown) =>
      answerFailedRoute(exchange, error, options),
    );
  };
}

/** The admin address: health in full, metrics. */
export function createAdminApp(options: AppOptions): RequestListener {
  const app = createApp(options);
  const router = createRouter();
  addHealthRoutes(router, { ...options, detail: 'full' });
  router.get('/metrics', async (context) => {
    const { contentType, text } = await options.metrics.render();
    context.respond = true;
    context.type = contentType;
    context.body = text;
  });
  return finishApp(app, router, 'GET /healthz, /readyz or /metrics', options);
}

function createApp(options: AppOptions): Koa {
  const app = new Koa();
  app.use(async (context, next) => {
    try {
      await next();
    } catch (error) {
      context.respond = false;
      answerFailedRoute(context, error, options);
    }
  });
  // Routes have their own way with errors, above; these are of connections, which callers may cut.
  app.on('error', (error: NodeJS.ErrnoException) => {
    const isCut = error.code === 'EPIPE' || error.code === 'ECONNRESET';
    options.log[isCut ? 'debug' : 'error']({ err: error }, 'a connection failed');
  });
  return app;
}

/** Whatever escapes a route is our fault: the log keeps the cause, the caller gets 336000. */
function answerFailedRoute(exchange: Exchange, error: unknown, options: AppOptions): void {
  const logId = options.nextLogId();
  options.log.error({ log_id: logId.toString(), err: error }, 'a route failed');
  const internal = fault('INTERNAL', 'the server failed on this request; its log says why');
  options.metrics.countRequest('', wireErrors.INTERNAL.wireCode);
  answerFault(exchange, logId, internal, options);
}

function createRouter(): Router {
  // Paths are case-sensitive; a slash at the end is tolerated.
  return new Router({ sensitive: true, strict: false });
}

function addHealthRoutes(router: Router, options: HealthOptions): void {
  router.get('/healthz', answerHealth);
  router.get('/readyz', createReadinessRoute(options));
}

function finishApp(
  app: Koa,
  router: Router,
  knownPaths: string,
  options: AppOptions,
): RequestListener {
  app.use((context, next) => {
    context.respond = false; // routes write their answers themselves, whole
    return next();
  });
  app.use(router.routes());
  app.use((context) => answerUnknownPath(context, knownPaths, options));
  const handle = app.callback();
  return (request, response) => void handle(request, response); // it never rejects
}

function answerUnknownPath(context: Context, knownPaths: string, options: AppOptions): void {
  const { wireCode } = wireErrors.NO_SUCH_API;
  const unknown = fault('NO_SUCH_API', `expected ${knownPaths}; names and case must match exactly`);
  const logId = options.nextLogId();
  options.metrics.countRequest('', wireCode);
  const { method, path } = context; // without the query, which may hold a token
  const line = { log_id: logId.toString(), service: '', code: wireCode, method, path };
  options.log.info({ ...line, detail: unknown.detail }, 'request');
  answerFault(context, logId, unknown, options);
}

/** What stands before the query. */
function pathOf(url: string): string {
  const query = url.indexOf('?');
  return query === -1 ? url : url.slice(0, query);
}
