/** Request log: one line for each answered request, where REQUEST_LOG is on. */
import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { describeRequest, verifiedTokenOf, type VerifiedAccessToken } from 'nestjs-keycloak-s2s';

/** How the line has the subject: `subjectHash`, `sub`, or neither. */
export type RequestLogSubject = 'hash' | 'plain' | 'none';

/** The part of Fastify's reply that is read. */
interface Reply {
  readonly statusCode: number;
  readonly elapsedTime: number;
}

/**
 * Method, route and ids of the request, its status and duration, and its caller: the client (`azp`), and of the subject by default a hash, by which
 * the requests of one user can be found without saying who it is. A 5xx is an error; refusals have a line of their own that says why.
 */
export function logRequests(adapter: FastifyAdapter, subject: RequestLogSubject): void {
  const logger = new Logger('Request');
  adapter.getInstance().addHook('onResponse', (request: object, reply: Reply, done: () => void) => {
    const { statusCode, elapsedTime } = reply;
    const token = verifiedTokenOf(request);
    const caller = token === undefined ? {} : { azp: token.clientId, ...subjectOf(token, subject) };
    const durationMs = Math.round(elapsedTime * 10) / 10;
    const line = {
      message: 'Request answered',
      ...describeRequest(request),
      status: statusCode,
      durationMs,
      ...caller,
    };
    if (statusCode >= 500) logger.error(line);
    else logger.log(line);
    done();
  });
}

function subjectOf({ subject: sub }: VerifiedAccessToken, how: RequestLogSubject): Readonly<Record<string, string>> {
  if (how === 'none') return {};
  return how === 'plain' ? { sub } : { subjectHash: createHash('sha256').update(sub).digest('hex').slice(0, 16) };
}
