import { type Fault, fault, wireErrors } from '../../core/errors.ts';
import type { Ticket } from '../../inference/admission.ts';
import type { ImageService, ServiceReply } from '../../inference/service.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { type Metrics, STAGES, type StagesMs } from '../../telemetry/metrics.ts';
import { answerFault, answerJson, type Exchange, type FaultOptions } from '../answer.ts';
import { CALLER_GONE, receiveBody } from '../body.ts';
import { encodeClassName, encodeSuccess } from '../envelope.ts';
import { findService } from '../find-service.ts';

export interface RouteOptions extends FaultOptions {
  readonly services: ReadonlyMap<string, ImageService>;
  /** What callers of a service are answered instead where no licence covers it. */
  readonly findLicenseRefusal: (deployName: string) => Fault | undefined;
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

  return async function handle(exchange: Exchange, deployName: string): Promise<void> {
    const service = findService(services, deployName);
    const record: RequestRecord = {
      logId: options.nextLogId(),
      service: service?.deployName ?? '',
      startedMs: performance.now(),
    };
    if (service === undefined) {
      refuse(exchange, record, fault('NO_SUCH_API', 'no service has this deploy name'));
    } else if (exchange.req.method !== 'POST') {
      const detail = `the method: expected POST, received ${exchange.req.method}`;
      refuse(exchange, record, fault('INVALID_ARGUMENT', detail), 405);
    } else {
      await classify(exchange, service, record);
    }
  };

  async function classify(
    exchange: Exchange,
    service: ImageService,
    record: RequestRecord,
  ): Promise<void> {
    const unlicensed = options.findLicenseRefusal(service.deployName);
    if (unlicensed !== undefined) {
      refuse(exchange, record, unlicensed);
      return;
    }
    const ticket = service.admit();
    if (!ticket.ok) {
      refuse(exchange, record, ticket.error);
      return;
    }
    try {
      await classifyWith(ticket.value, exchange, service, record);
    } catch (error) {
      ticket.value.close();
      throw error;
    }
  }

  async function classifyWith(
    ticket: Ticket,
    exchange: Exchange,
    service: ImageService,
    record: RequestRecord,
  ): Promise<void> {
    const body = await receiveBody(exchange.req, ticket);
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
        refuse(exchange, record, body.error);
      }
      return;
    }
    record.bytes = body.value.byteLength;
    const givenUp = new AbortController();
    exchange.res.once('close', () => {
      if (!exchange.res.writableFinished) {
        givenUp.abort();
      }
    });
    const { memory, byteLength } = body.value;
    const reply = await service.classifyRequest(ticket, memory, byteLength, givenUp);
    record.reply = reply;
    if (exchange.res.destroyed) {
      finish(record, undefined, 'the caller hung up while waiting');
    } else if (reply.outcome.ok) {
      const names = encodeNames(service.classNames);
      answerJson(exchange, encodeSuccess(record.logId, reply.outcome.value, names));
      finish(record, 0);
    } else {
      refuse(exchange, record, reply.outcome.error);
    }
  }

  function refuse(
    exchange: Exchange,
    record: RequestRecord,
    refused: Fault,
    semanticStatus?: number,
  ): void {
    answerFault(exchange, record.logId, refused, options, semanticStatus);
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
    const timings = reply?.timings;
    const stagesMs: StagesMs = {
      receive: record.receiveMs,
      wait: reply?.waitMs,
      base64: timings?.base64Ms,
      decode: timings?.decodeMs,
      resample: timings?.resampleMs,
      run: timings?.runMs,
      rank: timings?.rankMs,
    };
    metrics.observeStages(service, stagesMs);
    if (code !== undefined) {
      metrics.countRequest(service, code);
      metrics.observeDuration(service, totalMs);
    }
    const level = code === wireErrors.INTERNAL.wireCode ? 'error' : 'info';
    if (!log.isLevelEnabled(level)) {
      return;
    }
    for (const stage of STAGES) {
      stagesMs[stage] = roundMs(stagesMs[stage]);
    }
    log[level](
      {
        log_id: record.logId.toString(),
        service,
        code,
        bytes: record.bytes,
        image: reply?.image,
        device: services.get(service)?.status().session?.device,
        total_ms: roundMs(totalMs),
        stages_ms: stagesMs,
        detail,
      },
      'request',
    );
  }
}

/** To hundredths; a stage that was not come to has no time. */
function roundMs(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 100) / 100;
}
