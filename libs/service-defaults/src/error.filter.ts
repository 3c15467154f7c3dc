/** ErrorFilter: gives every error of a service one form, `{ error, code }`, and no stack trace. */
import { Catch, HttpException, HttpStatus, Logger, type ArgumentsHost, type ExceptionFilter } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { Refusal, type RefusalFilter } from 'nestjs-keycloak-s2s';

interface ErrorBody {
  readonly error: string;
  readonly code: string;
}

/** What a status comes to when nothing better is known. Texts of frameworks, which may echo the request, stay out. */
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

  constructor(
    private readonly refusals: RefusalFilter,
    private readonly adapterHost: HttpAdapterHost,
  ) {}

  catch(error: unknown, host: ArgumentsHost): void {
    if (error instanceof Refusal) {
      this.refusals.catch(error, host);
      return;
    }
    const status = clientErrorStatus(error);
    const body = status === undefined ? undefined : (ownBody(error) ?? BODIES[status] ?? otherBody(status));
    if (body === undefined) this.#logger.error('Unexpected error', error instanceof Error ? error.stack : undefined);
    this.adapterHost.httpAdapter.reply(
      host.switchToHttp().getResponse(),
      body ?? { error: 'Internal error', code: 'internal_error' },
      body === undefined ? HttpStatus.INTERNAL_SERVER_ERROR : status,
    );
  }
}

/** Any other refusal that was thrown on purpose keeps its status; a 5xx without a body of its own is unexpected. */
function otherBody(status: number): ErrorBody | undefined {
  return status < 500 ? { error: 'Request refused', code: 'request_refused' } : undefined;
}

/** The status of an exception that was meant for the caller: Nest's, or a 4xx of the HTTP framework. */
function clientErrorStatus(error: unknown): number | undefined {
  if (error instanceof HttpException) return error.getStatus();
  if (!(error instanceof Error) || !('statusCode' in error)) return undefined;
  const { statusCode } = error;
  return typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500 ? statusCode : undefined;
}

/** A body that the service made itself (it has a code, or it is a health report), as against Nest's own. */
function ownBody(error: unknown): object | undefined {
  const body: unknown = error instanceof HttpException ? error.getResponse() : undefined;
  return typeof body === 'object' && body !== null && ('code' in body || 'details' in body) ? body : undefined;
}
