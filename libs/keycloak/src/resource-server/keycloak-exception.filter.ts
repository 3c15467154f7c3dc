/** KeycloakExceptionFilter: writes every refusal of the library on the wire, and the story to the log. */
import {
  Catch,
  Logger,
  type ArgumentsHost,
  type ExceptionFilter,
  type ExecutionContext,
  type OnApplicationShutdown,
} from '@nestjs/common';
import type { HttpAdapterHost } from '@nestjs/core';
import { throwError } from 'rxjs';
import { KeycloakException, type RefusalBody } from '../protocol/keycloak-exception.js';
import type { RequestAdapter } from './request.adapter.js';
import { makeRefusalsHttpExceptions } from './http.exception.js';
import { RefusalLog } from './refusal-log.js';
import { describeHandler } from './request-description.js';

export interface KeycloakExceptionFilterOptions {
  /** The realm of the challenge: the name of this service. */
  readonly realm: string;
  /** Where the metadata of this service are, for the challenge (RFC 9728 §5.1). */
  readonly resourceMetadata?: string | undefined;
  readonly exposeRefusalReasons: boolean;
  readonly requestAdapters: readonly RequestAdapter[];
  /** Refusals of tokens of each are counted by themselves. */
  readonly issuers?: readonly { readonly issuer: string }[];
}

/** What goes on the wire. */
export interface RefusalReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RefusalBody;
}

/**
 * Registered for the whole application by `KeycloakModule`, for Express and Fastify. A filter of the application that
 * wants another form (a page, say) can take `toReply()` and write it itself.
 */
@Catch(KeycloakException)
export class KeycloakExceptionFilter implements ExceptionFilter<KeycloakException>, OnApplicationShutdown {
  readonly #log: RefusalLog;
  /** By request: the refusal of which all is said. One may be that of many requests, which waited for the same answer. */
  readonly #told = new WeakMap<object, KeycloakException>();
  /** Outside of HTTP, by call. */
  readonly #toldElsewhere = new WeakMap<object, Told>();

  constructor(
    private readonly options: KeycloakExceptionFilterOptions,
    private readonly adapterHost: HttpAdapterHost,
  ) {
    makeRefusalsHttpExceptions();
    this.#log = new RefusalLog(new Logger('Refusal'), options.issuers ?? []);
  }

  /**
   * Logs it and sets its headers, before it is thrown: a filter of the application may be the only one that sees it. Once for a
   * request: `catch` and `log` then say nothing more of it.
   */
  tell(refusal: KeycloakException, host: ArgumentsHost): void {
    if (this.#isTold(refusal, host)) return;
    this.log(refusal, host);
    if (host.getType<string>() !== 'http') {
      const told = this.#toldOf(refusal, host);
      told.refusals.add(refusal);
      told.ofGuard.add(keyOf(refusal, host));
      return;
    }
    this.#told.set(host.switchToHttp().getRequest<object>(), refusal);
    this.#setHeaders(refusal, host.switchToHttp().getResponse());
  }

  catch(refusal: KeycloakException, host: ArgumentsHost): unknown {
    this.tell(refusal, host);
    const kind = host.getType<string>();
    if (kind !== 'http') {
      const exception = this.toException(refusal, host);
      const adapter = this.#adapterOf(kind);
      if (adapter?.answer !== undefined) return adapter.answer(exception, host);
      // Nest's microservices answer with what the filter gives back; other transports report what is thrown.
      if (adapter === undefined && kind === 'rpc') return throwError(() => this.toReply(refusal).body);
      throw exception;
    }
    const { httpAdapter } = this.adapterHost;
    const response = host.switchToHttp().getResponse<unknown>();
    const { status, body } = this.toReply(refusal);
    // What has begun is ended, as by Nest's own filter: a second answer would be an error.
    if (httpAdapter.isHeadersSent(response)) httpAdapter.end(response);
    else httpAdapter.reply(response, body, status);
    return undefined;
  }

  /** What is thrown for a refusal: outside of HTTP the exception that the request adapter of this kind makes of it, if there is one. */
  toException(refusal: KeycloakException, host: ArgumentsHost): unknown {
    const adapter = this.#adapterOf(host.getType<string>());
    return adapter === undefined ? refusal : adapter.toException(this.toReply(refusal), host);
  }

  #adapterOf(kind: string): RequestAdapter | undefined {
    return this.options.requestAdapters.find((adapter) => adapter.kind === kind);
  }

  #isTold(refusal: KeycloakException, host: ArgumentsHost): boolean {
    if (host.getType<string>() !== 'http') {
      const told = this.#toldOf(refusal, host);
      // Aliases of one operation may be refused by the thousand. What a handler throws is told each time.
      return told.refusals.has(refusal) || (isOfGuard(host) && told.ofGuard.has(keyOf(refusal, host)));
    }
    return this.#told.get(host.switchToHttp().getRequest<object>()) === refusal;
  }

  #toldOf(refusal: KeycloakException, host: ArgumentsHost): Told {
    const call = this.#callOf(refusal, host);
    const told = this.#toldElsewhere.get(call) ?? { refusals: new WeakSet(), ofGuard: new Set() };
    this.#toldElsewhere.set(call, told);
    return told;
  }

  /** Each message of a connection is a call of its own: there, and where nothing is known of the call, it is the refusal. */
  #callOf(refusal: KeycloakException, host: ArgumentsHost): object {
    const adapter = this.#adapterOf(host.getType<string>());
    try {
      const call = adapter?.callOf(host);
      if (call !== undefined && adapter?.connectionOf?.(host)?.key !== call) return call;
    } catch {
      // It has no call, which may be what it was refused for.
    }
    return refusal;
  }

  #setHeaders(refusal: KeycloakException, response: unknown): void {
    const { httpAdapter } = this.adapterHost;
    // As when a time-out of the application answered meanwhile.
    if (httpAdapter.isHeadersSent(response)) return;
    const headers = this.#headersOf(refusal);
    for (const [name, value] of Object.entries(headers)) httpAdapter.setHeader(response, name, value);
  }

  #headersOf(refusal: KeycloakException): Readonly<Record<string, string>> {
    return refusal.toHeaders(this.options.realm, this.options.resourceMetadata);
  }

  /** Status, headers and body of a refusal; logs nothing. */
  toReply(refusal: KeycloakException): RefusalReply {
    return {
      status: refusal.httpStatus,
      headers: this.#headersOf(refusal),
      body: refusal.toBody(this.options.exposeRefusalReasons),
    };
  }

  /**
   * Writes one line, as one object, as `RefusalLog` does. With `host` the line names the request, and a refusal that was
   * told before is not written again. `where` are further fields, for what has no request: words of the application.
   */
  log(refusal: KeycloakException, host?: ArgumentsHost, where: Readonly<Record<string, string>> = {}): void {
    if (host !== undefined && this.#isTold(refusal, host)) return;
    this.#log.write(refusal, host, where);
  }

  /** Nest calls it. */
  onApplicationShutdown(): void {
    this.#log.end();
  }
}

/** What was told of one call. */
interface Told {
  readonly refusals: WeakSet<KeycloakException>;
  /** Of the guard: which handler was refused for what. */
  readonly ofGuard: Set<string>;
}

/** A filter does not know the handler. */
const isOfGuard = (host: ArgumentsHost & Partial<ExecutionContext>): boolean => Boolean(host.getHandler?.());

const keyOf = ({ code, reason, permission }: KeycloakException, host: ArgumentsHost): string =>
  [code, reason, permission, describeHandler(host)['handler']].join('\n');
