import type { Context } from 'koa';
import { type Fault, fault, wireErrors } from '../../core/errors.ts';
import type { Ticket } from '../../inference/admission.ts';
import type { ImageService, ServiceReply } from '../../inference/service.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import { answerFault, answerJson, type FaultOptions } from '../answer.ts';
import { CALLER_GONE, receiveBody } from '../body.ts';
import { encodeClassName, encodeSuccess } from '../envelope.ts';
import { findService } from '../find-service.ts';

export interface RouteOptions extends FaultOptions {
  readonly services: ReadonlyMap<string, ImageService>;
  readonly nextLogId: () => bigint;
  readonly log: Logger;
  readonly metrics: Metrics;
}

/** What is known of a request when it ends, for its one log line. */
interface RequestRecord {
  readonly logId: bigint;
  readonly service: string;
  readonly startedMs: number;
  bytes?: number;
  receiveMs?: number;
  reply?: ServiceReply;
}

/** Handles `/{DEPLOY_NAME}/ImageClassification`, any method. */
export function createImageClassificationRoute(options: RouteOptions) {
  const { services, metrics, log } = options;
  const encodedNames = new WeakMap<readonly string[], readonly string[]>();

  return async function handle(context: Context, deployName: string): Promise<void> {
    const service = findService(services, deployName);
    const record: RequestRecord = {
      logId: options.nextLogId(),
      service: service?.deployName ?? '',
      startedMs: performance.now(),
    };
    if (service === undefined) {
      refuse(context, record, fault('NO_SUCH_API', 'no service has this deploy name'));
    } else if (context.method !== 'POST') {
      const detail = `the method: expected POST, received ${context.method}`;
      refuse(context, record, fault('INVALID_ARGUMENT', detail), 405);
    } else {
      await classify(context, service, record);
    }
  };

  async function classify(
    context: Context,
    service: ImageService,
    record: RequestRecord,
  ): Promise<void> {
    const ticket = service.admit();
    if (!ticket.ok) {
      refuse(context, record, ticket.error);
      return;
    }
    try {
      await classifyWith(ticket.value, context, service, record);
    } catch (error) {
      ticket.value.close();
      throw error;
    }
  }

  async function classifyWith(
    ticket: Ticket,
    context: Context,
    service: ImageService,
    record: RequestRecord,
  ): Promise<void> {
    const body = await receiveBody(context.req, ticket);
    record.receiveMs = performance.now() - record.startedMs;
    if (!body.ok) {
      ticket.close();
      if (body.error === CALLER_GONE) {
        finish(
          record,
          undefined,
          'the body broke off: the caller hung up, was too slow or sent broken HTTP',
        );
      } else {
        refuse(context, record, body.error);
      }
      return;
    }
    record.bytes = body.value.byteLength;
    const gone = new AbortController();
    context.res.once('close', () => {
      if (!context.res.writableFinished) {
        gone.abort();
      }
    });
    const { memory, byteLength } = body.value;
    const reply = await service.classifyRequest(ticket, memory, byteLength, gone.signal);
    record.reply = reply;
    if (gone.signal.aborted) {
      finish(record, undefined, 'the caller hung up while waiting');
    } else if (reply.outcome.ok) {
      const names = encodeNames(service.classNames);
      answerJson(context, encodeSuccess(record.logId, reply.outcome.value, names));
      finish(record, 0);
    } else {
      refuse(context, record, reply.outcome.error);
    }
  }

  function refuse(
    context: Context,
    record: RequestRecord,
    refused: Fault,
    semanticStatus?: number,
  ): void {
    answerFault(context, record.logId, refused, options, semanticStatus);
    finish(record, wireErrors[refused.code].wireCode, refused.detail);
  }

  function encodeNames(classNames: readonly string[]): readonly string[] {
    let encoded = encodedNames.get(classNames);
    if (encoded === undefined) {
      encoded = classNames.map(encodeClassName);
      encodedNames.set(classNames, encoded);
    }
    return encoded;
  }

  /** Counts and logs a request; `code` is missing when nobody was left to answer. */
  function finish(record: RequestRecord, code: number | undefined, detail?: string): void {
    const { service, reply } = record;
    const totalMs = performance.now() - record.startedMs;
    const stagesMs = {
      receive: record.receiveMs,
      wait: reply?.waitMs,
      base64: reply?.timings.base64Ms,
      decode: reply?.timings.decodeMs,
      resample: reply?.timings.resampleMs,
      run: reply?.timings.runMs,
      rank: reply?.timings.rankMs,
    };
    for (const [stage, milliseconds] of Object.entries(stagesMs)) {
      if (milliseconds !== undefined) {
        metrics.observeStage(service, stage as keyof typeof stagesMs, milliseconds);
      }
    }
    if (code !== undefined) {
      metrics.countRequest(service, code);
      metrics.observeDuration(service, totalMs);
    }
    const line = {
      log_id: record.logId.toString(),
      service,
      code,
      bytes: record.bytes,
      image: reply?.image,
      device: services.get(service)?.status().session?.device,
      total_ms: roundMs(totalMs),
      stages_ms: Object.fromEntries(
        Object.entries(stagesMs).map(([stage, ms]) => [stage, ms === undefined ? ms : roundMs(ms)]),
      ),
      detail,
    };
    if (code === wireErrors.INTERNAL.wireCode) {
      log.error(line, 'request');
    } else {
      log.info(line, 'request');
    }
  }
}

function roundMs(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
