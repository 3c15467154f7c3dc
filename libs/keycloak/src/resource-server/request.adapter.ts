import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import type { RefusalBody } from '../protocol/keycloak-exception.js';
import type { BearerRequest } from './bearer-token.js';

/** The headers of a call; a request of Node, Express or Fastify fits. */
export type AdaptedRequest = BearerRequest;

/** The part of a refusal that the caller may see. */
export interface AdaptedRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RefusalBody;
}

/** A connection on which a caller keeps receiving data after its call was admitted. */
export interface LongLivedConnection {
  /** The same object each time for the same connection. */
  readonly key: object;
  isOpen(): boolean;
  close(): void;
}

/**
 * Nest's context of a call. Nest gives an exception filter no class and no handler: there `getClass()` and
 * `getHandler()` are missing, or return null or undefined.
 */
export type CallContext = ArgumentsHost & Partial<Pick<ExecutionContext, 'getClass' | 'getHandler'>>;

/**
 * Reads the credentials of one kind of context other than HTTP, for `forRoot({ requestAdapters: [...] })`. It makes no
 * access decision: the guard verifies the token that it finds.
 *
 * Every method gets the context of the call. It must rely only on what the framework put there: the kind of the
 * context, the position of an argument, the class of an object, the metadata of the handler. It must not rely on
 * members of an argument that the caller sent: a payload can have members of any name.
 */
export interface RequestAdapter {
  /** The value of `ExecutionContext.getType()` in these contexts: `graphql`, `rpc`, `ws`, or a name of your own. */
  readonly kind: string;
  /**
   * Returns the argument with which the guard stores the caller's token for `@Caller()`. The object must belong to this
   * call or its connection alone: if two callers shared it, one would act as the other.
   */
  callOf(context: CallContext): object;
  /**
   * Called first for every call, also a `@Public()` one. Throws `BearerError` for a call that it can't tell from
   * another.
   */
  begin?(context: CallContext): void;
  /**
   * Returns the headers of the call, with its `Authorization: Bearer` header. If two calls return the same object, as
   * two operations of one HTTP request do, the guard verifies the token once for both. Throws `BearerError` if the
   * transport has no headers.
   */
  requestOf(context: CallContext): AdaptedRequest;
  /**
   * Returns the exception to throw for a refusal, so that the caller gets the code in the format of its transport.
   * Returns undefined if the request adapter has answered the call itself; then nothing is thrown.
   */
  toException(refusal: AdaptedRefusal, context: CallContext): unknown;
  /** Called once for each call that the guard refuses, before it is answered: to reject a message, for example. */
  refused?(refusal: AdaptedRefusal, context: CallContext): void;
  /**
   * Called for each call that the guard could not check because the application failed, for example if `mapPermissions`
   * throws. Returns true if the request adapter has answered the call; then nothing is thrown.
   */
  failed?(context: CallContext): boolean;
  /**
   * Answers with such an exception, as an exception filter of this transport does; the filter returns the result.
   * Default: throws the exception.
   */
  answer?(exception: unknown, context: CallContext): unknown;
  /**
   * Returns the connection on which the caller keeps listening, if there is one. It is closed when the token expires or
   * is denied.
   */
  connectionOf?(context: CallContext): LongLivedConnection | undefined;
}
