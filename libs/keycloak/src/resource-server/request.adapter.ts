/** RequestAdapter: how the calls of one kind of context bring credentials, and how a refusal goes back to the caller. */
import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import type { RefusalBody } from '../protocol/keycloak-exception.js';
import type { BearerRequest } from './bearer-token.js';

/** The headers that came with a call, where a request adapter finds the credentials. An HTTP request of Node, Express or Fastify fits. */
export type AdaptedRequest = BearerRequest;

/** The part of a refusal that the caller may see. */
export interface AdaptedRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RefusalBody;
}

/** A connection over which a caller still hears something once its call was admitted. */
export interface LongLivedConnection {
  /** The same object each time for the same connection. */
  readonly key: object;
  isOpen(): boolean;
  /** Ends it: its token has expired, was denied, or is not active any more. */
  close(): void;
}

/**
 * Nest's context of a call: the guard passes its `ExecutionContext`. Nest gives an exception filter no class and no handler: there `getClass()` and
 * `getHandler()` are missing, or return null or undefined.
 */
export type CallContext = ArgumentsHost & Partial<Pick<ExecutionContext, 'getClass' | 'getHandler'>>;

/**
 * Reads the credentials of one kind of context other than HTTP, for `forRoot({ requestAdapters: [...] })`. `nestjs-keycloak-s2s/graphql`,
 * `/microservices` and `/websockets` each export one. A request adapter decides nothing: the guard judges the token that it finds, by the decorators of
 * the handler.
 *
 * Every method gets the context of the call. A request adapter must decide by what the framework put there: the kind of the context, the position of an
 * argument, the class of an object, the metadata of the handler. It must not decide by the members of an argument that the caller sent: a payload can
 * have members of any name.
 */
export interface RequestAdapter {
  /** The value that `ExecutionContext.getType()` has for these contexts: `graphql`, `rpc`, `ws`, or a name of your own. */
  readonly kind: string;
  /**
   * Returns the argument with which the guard keeps the caller's token for `@Caller()`. The object must belong to this call, or to its connection,
   * alone: if two callers shared it, one would act as the other.
   */
  callOf(context: CallContext): object;
  /** Sees every call first, a `@Public()` one too. Throws `BearerError` for a call that it can't tell from another. */
  begin?(context: CallContext): void;
  /**
   * Returns the headers that came with the call. The guard reads the `Authorization: Bearer` header, by the rules for HTTP. If two calls return the
   * same object, as two operations of one HTTP request do, the guard judges the token once for both.
   *
   * Throws `BearerError` if the transport has no headers.
   */
  requestOf(context: CallContext): AdaptedRequest;
  /**
   * Returns the exception to throw for a refusal, so that the caller gets the code in the form of its transport. Returns undefined if the request adapter has
   * answered the call itself, and nothing may be thrown.
   */
  toException(refusal: AdaptedRefusal, context: CallContext): unknown;
  /** Sees each call that the guard refuses, once, before it is answered: to reject a message, for example. */
  refused?(refusal: AdaptedRefusal, context: CallContext): void;
  /**
   * Sees each call that the guard could not judge because the application failed, for example where the option `mapPermissions` throws. Returns true if
   * the request adapter has answered the call, and nothing may be thrown.
   */
  failed?(context: CallContext): boolean;
  /**
   * Answers with such an exception, as an exception filter of this transport does; the filter returns what this returns. For refusals that a handler
   * throws, such as a `ServiceCallError`. Default: throws the exception.
   */
  answer?(exception: unknown, context: CallContext): unknown;
  /** Returns the connection over which the caller goes on listening, if there is one. It is closed when the token expires or is denied. */
  connectionOf?(context: CallContext): LongLivedConnection | undefined;
}
