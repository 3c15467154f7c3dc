import { createHash } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { verifiedTokenOf } from 'nestjs-keycloak-s2s';
import { describeRequest, type Actor } from 'nestjs-keycloak-s2s/diagnostics';
import type { Connections } from './connections.js';
import type { RequestLog, ServiceLogger } from './service-logger.js';
import type { RequestLogSubject } from './service-settings.js';

const REQUEST = Symbol('service-defaults:request');
const STARTED_AT = Symbol('service-defaults:started-at');

interface LoggedAnswer extends ServerResponse {
  [REQUEST]?: object;
  [STARTED_AT]?: number;
}

/**
 * By default, the log contains a hash of the subject, so that all requests of a user have the same hash. `namesIssuer`
 * adds `iss`, since two issuers may use the same client id or subject.
 *
 * `Connections` reports the end of an answer more cheaply than a Fastify hook (perf: request-log).
 */
export function logRequests(
  adapter: FastifyAdapter,
  connections: Connections,
  logger: Pick<ServiceLogger, 'ofRoute' | 'flush'>,
  subject: RequestLogSubject,
  namesIssuer = false,
): void {
  const addSubject = SUBJECTS[subject]();
  const logs = new RouteLogs(logger);
  connections.whenOver((answer: LoggedAnswer) => {
    const { [REQUEST]: request, [STARTED_AT]: startedAt = 0, statusCode } = answer;
    if (request === undefined) return;
    const { method = '', route = '', requestId, traceId } = describeRequest(request);
    const line: Record<string, unknown> = {
      // Before an answer begins, Node's `statusCode` is a meaningless 200.
      status: answer.headersSent ? statusCode : undefined,
      durationMs: Math.round((performance.now() - startedAt) * 10) / 10,
    };
    if (!answer.writableFinished) line['isAborted'] = true;
    if (requestId !== undefined) line['requestId'] = requestId;
    if (traceId !== undefined) line['traceId'] = traceId;
    const token = verifiedTokenOf(request);
    if (token !== undefined) {
      if (namesIssuer) line['iss'] = token.issuer;
      line['azp'] = token.clientId;
      addSubject(line, token.subject);
      if (token.actor !== undefined) line['actor'] = actorIn(token.actor, addSubject);
    }
    const log = logs.of(method, route);
    if (statusCode >= 500) log.error(line);
    else log.info(line);
  });
  const fastify = adapter.getInstance();
  fastify.addHook('onRequest', (request: object, { raw }: { readonly raw: LoggedAnswer }, done: () => void) => {
    raw[REQUEST] = request;
    raw[STARTED_AT] = performance.now();
    done();
  });
  fastify.addHook('onClose', (_instance: unknown, done: () => void) => {
    logger.flush();
    done();
  });
}

class RouteLogs {
  readonly #logs = new Map<string, RequestLog>();

  constructor(private readonly logger: Pick<ServiceLogger, 'ofRoute'>) {}

  of(method: string, route: string): RequestLog {
    const key = `${method} ${route}`;
    const known = this.#logs.get(key);
    if (known !== undefined) return known;
    const made = this.logger.ofRoute({ method, ...(route === '' ? {} : { route }) });
    if (this.#logs.size < MAX_LOGS) this.#logs.set(key, made);
    return made;
  }
}

const MAX_LOGS = 1000;

type AddSubject = (line: Record<string, unknown>, subject: string) => void;

/** Names only the current actor, since the earlier actors took no part in this request. */
function actorIn({ clientId, subject }: Actor, addSubject: AddSubject): object {
  const line: Record<string, unknown> = clientId === undefined ? {} : { azp: clientId };
  if (subject !== undefined) addSubject(line, subject);
  return line;
}

const SUBJECTS: Readonly<Record<RequestLogSubject, () => AddSubject>> = {
  hash: () => {
    const hashes = new Map<string, string>();
    return (line, subject) => {
      line['subjectHash'] = hashes.get(subject) ?? remember(hashes, subject);
    };
  },
  plain: () => (line, subject) => {
    line['sub'] = subject;
  },
  none: () => () => undefined,
};

/** Caches at most this number of hashes, since the computation of a hash doubles the cost of a log line. */
const MAX_HASHES = 10_000;

function remember(hashes: Map<string, string>, subject: string): string {
  if (hashes.size >= MAX_HASHES) hashes.clear();
  const hash = createHash('sha256').update(subject).digest('hex').slice(0, 16);
  hashes.set(subject, hash);
  return hash;
}
