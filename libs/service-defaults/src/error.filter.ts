import type { ServerResponse } from 'node:http';
import { Catch, HttpException, HttpStatus, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { KeycloakException, type KeycloakExceptionFilter } from 'nestjs-keycloak-s2s';
import { describeRequest, RepeatedLines, type UnwrittenLines } from 'nestjs-keycloak-s2s/diagnostics';
import { noteFailure } from './answered-failures.js';

interface ErrorBody {
  readonly error: string;
  readonly code: string;
}

/** The framework's messages are not sent, since a message may echo the request. */
const BODIES: Readonly<Record<number, ErrorBody>> = {
  [HttpStatus.BAD_REQUEST]: { error: 'Invalid body: it must be well-formed JSON', code: 'invalid_body' },
  [HttpStatus.NOT_FOUND]: { error: 'Not found', code: 'not_found' },
  [HttpStatus.METHOD_NOT_ALLOWED]: { error: 'Method not allowed', code: 'method_not_allowed' },
  [HttpStatus.PAYLOAD_TOO_LARGE]: { error: 'Invalid body: it must not be larger than 100 KB', code: 'body_too_large' },
  [HttpStatus.UNSUPPORTED_MEDIA_TYPE]: {
    error: 'Unsupported media type: send application/json',
    code: 'unsupported_media_type',
  },
};

@Catch()
export class ErrorFilter implements ExceptionFilter {
  readonly #logger = new Logger('Error');
  readonly #repeated = new RepeatedLines();

  constructor(
    private readonly refusals: KeycloakExceptionFilter,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (error instanceof KeycloakException) {
      this.refusals.catch(error, host);
      return;
    }
    const status = clientErrorStatus(error);
    const body = status === undefined ? undefined : (ownBody(error) ?? BODIES[status] ?? otherBody(status));
    if (body === undefined) this.#logUnexpected(error, host);
    const { httpAdapter } = this.adapterHost;
    const response = host.switchToHttp().getResponse<{ readonly raw: ServerResponse }>();
    // A second answer would cause an uncaught error, which ends the process.
    if (httpAdapter.isHeadersSent(response)) {
      httpAdapter.end(response);
      return;
    }
    if (status !== undefined && status >= 500 && body !== undefined && 'code' in body)
      noteFailure(response.raw, String(body.code));
    httpAdapter.reply(
      response,
      body ?? { error: 'Internal error', code: 'internal_error' },
      body === undefined ? HttpStatus.INTERNAL_SERVER_ERROR : status,
    );
  }

  end(): void {
    this.#repeated.end();
  }

  /** Logs at most 20 stacks in ten seconds, since callers may repeat a failing request. */
  #logUnexpected(error: unknown, host: ArgumentsHost): void {
    const { route = 'none' } = describeRequest(host.switchToHttp().getRequest());
    const name = error instanceof Error ? error.name : 'unknown';
    const summarize = (unwritten: UnwrittenLines): void =>
      this.#logger.error(
        unwritten.isMixed === true
          ? { message: 'Unexpected errors of several kinds', ...unwritten }
          : { message: 'Repeated unexpected error', route, error: name, ...unwritten },
      );
    if (!this.#repeated.admits(`${route} ${name}`, summarize)) return;
    this.#logger.error('Unexpected error', error instanceof Error ? error.stack : undefined);
  }
}

function otherBody(status: number): ErrorBody | undefined {
  return status < 500 ? { error: 'Request refused', code: 'request_refused' } : undefined;
}

function clientErrorStatus(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

function ownBody(error: unknown): object | undefined {
  const body: unknown = error instanceof HttpException ? error.getResponse() : undefined;
  return typeof body === 'object' && body !== null && ('code' in body || 'details' in body) ? body : undefined;
}
