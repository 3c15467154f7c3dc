/** Request log: one line for each answered request, where REQUEST_LOG is on. */
import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { FastifyAdapter } from '@nestjs/platform-fastify';
import { describeRequest, verifiedTokenOf } from 'nestjs-keycloak-s2s';

/** The part of Fastify's reply that is read. */
interface Reply {
  readonly statusCode: number;
  readonly elapsedTime: number;
}

/**
 * Method, route and ids of the request, its status and duration, and its caller: the client (`azp`), and of the subject a hash, by which
 * the requests of one user can be found without saying who it is. A 5xx is an error; refusals have a line of their own that says why.
 */
export function logRequests(adapter: FastifyAdapter): void {
  const logger = new Logger('Request');
  adapter.getInstance().addHook('onResponse', (request: object, reply: Reply, done: () => void) => {
    const { statusCode, elapsedTime } = reply;
    const token = verifiedTokenOf(request);
    const caller = token === undefined ? {} : { azp: token.clientId, subjectHash: hashOf(token.subject) };
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

const hashOf = (subject: string): string => createHash('sha256').update(subject).digest('hex').slice(0, 16);
