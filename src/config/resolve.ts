import { dirname, join, resolve } from 'node:path';
import { type KeyPath, keyAt, type SectionKey, type ValueKey } from './keys.ts';
import { type Origin, type Origins, outranks } from './origins.ts';
import type { Config, ServiceConfig, WrittenConfig } from './schema.ts';

export interface ResolveContext {
  readonly keys: SectionKey;
  readonly origins: Origins;
  readonly cwd: string;
  readonly packageRoot: string;
  readonly userStateDir: string;
  /** Absolute path of the file, if there is one. */
  readonly file: string | undefined;
}

/** Makes paths absolute and completes each service from the top level. */
export function resolveConfig(written: WrittenConfig, context: ResolveContext): Config {
  const stateDir = resolvePath(written.stateDir, ['stateDir'], context);
  const { dir, recordsDir } = written.license;
  return {
    ...written,
    stateDir,
    license: {
      dir:
        dir === undefined
          ? join(stateDir, 'licenses')
          : resolvePath(dir, ['license', 'dir'], context),
      recordsDir:
        recordsDir === undefined
          ? context.userStateDir
          : resolvePath(recordsDir, ['license', 'recordsDir'], context),
    },
    modelsDir: resolvePath(written.modelsDir, ['modelsDir'], context),
    services: written.services.map((service, index) =>
      resolveService(service, ['services', index], written, context),
    ),
  };
}

/**
 * Where an effective value came from: for a service's value that is taken from the top level,
 * the origin there.
 */
export function effectiveOrigin(keys: SectionKey, origins: Origins, path: KeyPath): Origin {
  const own = origins.of(path);
  const topPath = path[0] === 'services' ? path.slice(2) : [];
  if (keyAt(keys, topPath)?.kind !== 'value') {
    return own;
  }
  const top = origins.of(topPath);
  return own.kind === 'default' || outranks(top, own) ? top : own;
}

type WrittenService = WrittenConfig['services'][number];

function resolveService(
  service: WrittenService,
  path: KeyPath,
  top: WrittenConfig,
  context: ResolveContext,
): ServiceConfig {
  const { origins } = context;
  // A flag or variable for all services counts before what the file says of one.
  function pick<T>(own: T | undefined, common: T, ...key: readonly string[]): T {
    const isOverruled = outranks(origins.of(key), origins.of([...path, ...key]));
    return own === undefined || isOverruled ? common : own;
  }
  return {
    deployName: service.deployName,
    model: resolvePath(service.model, [...path, 'model'], context),
    language: service.language,
    variant: pick(service.variant, top.variant, 'variant'),
    device: pick(service.device, top.device, 'device'),
    workers: pick(service.workers, top.workers, 'workers'),
    threads: pick(service.threads, top.threads, 'threads'),
    deadlineMs: pick(service.deadlineMs, top.deadlineMs, 'deadlineMs'),
    queue: {
      maxRequests: pick(service.queue?.maxRequests, top.queue.maxRequests, 'queue', 'maxRequests'),
      maxBytes: pick(service.queue?.maxBytes, top.queue.maxBytes, 'queue', 'maxBytes'),
    },
  };
}

function resolvePath(value: string, path: KeyPath, context: ResolveContext): string {
  const key = keyAt(context.keys, path);
  return isPath(key?.kind === 'value' ? key : undefined, value)
    ? resolve(baseOf(context.origins.of(path), context), value)
    : value;
}

function isPath(key: ValueKey | undefined, value: string): boolean {
  switch (key?.help.path) {
    case 'always':
      return true;
    case 'when-it-has-a-slash':
      // "." and ".." would otherwise name modelsDir itself and its parent.
      return value.includes('/') || value === '.' || value === '..';
    case undefined:
      return false;
  }
}

function baseOf(origin: Origin, { cwd, packageRoot, file }: ResolveContext): string {
  switch (origin.kind) {
    case 'default':
      return packageRoot;
    case 'file':
      return file === undefined ? cwd : dirname(file);
    case 'variable':
    case 'flag':
      return cwd;
  }
}
