import { Catch, Logger, type ArgumentsHost, type ExceptionFilter, type OnApplicationShutdown } from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { throwError } from 'rxjs';
import { KeycloakException, type RefusalBody } from '../protocol/keycloak-exception.js';
import type { HandlerAccess } from './handler-access.js';
import { adapterOf, type CallContext, type RequestAdapter } from './request.adapter.js';
import { makeRefusalsHttpExceptions } from './http.exception.js';
import { RefusalLog } from './refusal-log.js';
import { describeHandler } from './request-description.js';
import { routeAccess } from './route-access.js';

export interface KeycloakExceptionFilterOptions {
  readonly realm: string;
  readonly handlers?: Pick<HandlerAccess, 'metadataUrlOf' | 'of'>;
  readonly exposeRefusalReasons: boolean;
  readonly requestAdapters: readonly RequestAdapter[];
  readonly issuers?: readonly { readonly issuer: string }[];
}

export interface RefusalReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RefusalBody;
}

/**
 * `KeycloakModule` registers this filter for the whole application, on Express and Fastify. Your own filter for another
 * format, such as HTML, can call `toReply()` and write the response.
 */
@Catch(KeycloakException)
export class KeycloakExceptionFilter implements ExceptionFilter<KeycloakException>, OnApplicationShutdown {
  readonly #log: RefusalLog;
  /** The key is the request and not the refusal, because concurrent requests with one token may share a refusal. */
  readonly #told = new WeakMap<object, Pick<RefusalReply, 'headers'> & { readonly refusal: KeycloakException }>();
  readonly #toldElsewhere = new WeakMap<object, Told>();

  constructor(
    private readonly options: KeycloakExceptionFilterOptions,
    private readonly adapterHost: HttpAdapterHost,
  ) {
    makeRefusalsHttpExceptions();
    this.#log = new RefusalLog(new Logger('Refusal'), options.issuers ?? []);
  }

  /** Logs the refusal and sets its headers before a filter of the application can catch the refusal. */
  tell(refusal: KeycloakException, host: ArgumentsHost): void {
    if (this.#isTold(refusal, host)) return;
    this.log(refusal, host);
    if (host.getType<string>() !== 'http') {
      const told = this.#toldOf(refusal, host);
      told.refusals.add(refusal);
      told.ofGuard.add(keyOf(refusal, host));
      return;
    }
    const headers = this.#headersOf(refusal, host);
    this.#told.set(requestOf(host), { refusal, headers });
    this.#setHeaders(headers, host.switchToHttp().getResponse());
  }

  catch(refusal: KeycloakException, host: ArgumentsHost): unknown {
    this.tell(refusal, host);
    const kind = host.getType<string>();
    if (kind !== 'http') {
      const exception = this.toException(refusal, host);
      const adapter = this.#adapterOf(host);
      if (adapter?.answer !== undefined) return adapter.answer(exception, host);
      // A microservice of Nest answers with the return value of the filter.
      if (adapter === undefined && kind === 'rpc') return throwError(() => this.toReply(refusal, host).body);
      throw exception;
    }
    const { httpAdapter } = this.adapterHost;
    const response = host.switchToHttp().getResponse<unknown>();
    const { status, body } = this.toReply(refusal, host);
    // Ends a response that has begun, because a second response would be an error.
    if (httpAdapter.isHeadersSent(response)) httpAdapter.end(response);
    else httpAdapter.reply(response, body, status);
    return undefined;
  }

  toException(refusal: KeycloakException, host: ArgumentsHost): unknown {
    const adapter = this.#adapterOf(host);
    return adapter === undefined ? refusal : adapter.toException(this.toReply(refusal, host), host);
  }

  #adapterOf(host: ArgumentsHost): RequestAdapter | undefined {
    return adapterOf(this.options.requestAdapters, host);
  }

  #isTold(refusal: KeycloakException, host: ArgumentsHost): boolean {
    if (host.getType<string>() !== 'http') {
      const told = this.#toldOf(refusal, host);
      // One GraphQL query may contain a refused operation thousands of times, under different aliases.
      return told.refusals.has(refusal) || (isOfGuard(host) && told.ofGuard.has(keyOf(refusal, host)));
    }
    return this.#told.get(requestOf(host))?.refusal === refusal;
  }

  #toldOf(refusal: KeycloakException, host: ArgumentsHost): Told {
    const call = this.#callOf(refusal, host);
    const told = this.#toldElsewhere.get(call) ?? { refusals: new WeakSet(), ofGuard: new Set() };
    this.#toldElsewhere.set(call, told);
    return told;
  }

  /** A long-lived connection has many calls, so the refusal identifies the call. */
  #callOf(refusal: KeycloakException, host: ArgumentsHost): object {
    const adapter = this.#adapterOf(host);
    try {
      const call = adapter?.callOf(host);
      if (call !== undefined && adapter?.connectionOf?.(host)?.key !== call) return call;
    } catch {
      // The call may have been refused because the adapter can't identify the call.
    }
    return refusal;
  }

  #setHeaders(headers: RefusalReply['headers'], response: unknown): void {
    const { httpAdapter } = this.adapterHost;
    // The application may have answered already, for example with a time-out.
    if (httpAdapter.isHeadersSent(response)) return;
    for (const [name, value] of Object.entries(headers)) httpAdapter.setHeader(response, name, value);
  }

  #headersOf(refusal: KeycloakException, host?: CallContext): RefusalReply['headers'] {
    const isHttp = host?.getType<string>() === 'http';
    const told = isHttp ? this.#told.get(requestOf(host)) : undefined;
    if (told?.refusal === refusal) return told.headers;
    const resourceMetadata = this.options.handlers?.metadataUrlOf(isHttp ? requestOf(host) : {});
    const scopes = isHttp ? this.#challengedScopes(host) : [];
    // The handler may have begun, unless the guard refuses.
    return refusal.toHeaders(this.options.realm, resourceMetadata, scopes, isHttp && !isOfGuard(host));
  }

  #challengedScopes(host: CallContext): readonly string[] {
    const [type, handler] = [host.getClass?.(), host.getHandler?.()];
    if (!type || !handler || routeAccess(type, handler).challengesScopes !== true) return [];
    return this.options.handlers?.of(type, handler).scopes ?? [];
  }

  /**
   * Returns the reply without logging the refusal. With `host`, the challenge names the scopes and the metadata of the
   * refused route.
   */
  toReply(refusal: KeycloakException, host?: ArgumentsHost): RefusalReply {
    return {
      status: refusal.httpStatus,
      headers: this.#headersOf(refusal, host),
      body: refusal.toBody(this.options.exposeRefusalReasons),
    };
  }

  /**
   * Writes one log line as one object. With `host`, the line names the request, and a refusal that was logged before is
   * skipped. `where` adds fields of the application to the line.
   */
  log(refusal: KeycloakException, host?: ArgumentsHost, where: Readonly<Record<string, string>> = {}): void {
    if (host !== undefined && this.#isTold(refusal, host)) return;
    this.#log.write(refusal, host, where);
  }

  onApplicationShutdown(): void {
    this.#log.end();
  }
}

interface Told {
  readonly refusals: WeakSet<KeycloakException>;
  readonly ofGuard: Set<string>;
}

const requestOf = (host: ArgumentsHost): object => host.switchToHttp().getRequest<object>();

/** A context with a handler comes from the guard, because Nest passes no handler to an exception filter. */
const isOfGuard = (host: CallContext): boolean => Boolean(host.getHandler?.());

const keyOf = ({ code, reason, permission }: KeycloakException, host: ArgumentsHost): string =>
  [code, reason, permission, describeHandler(host)['handler']].join('\n');
