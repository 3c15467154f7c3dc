/** Credential carrier: how the calls of one kind of context bring credentials, and how a refusal goes back to the caller. */
import type { RefusalBody } from '../protocol/refusal.js';
import type { BearerRequest } from './bearer-token.js';

/** What a carrier finds the credentials in: the headers that came with a call. An HTTP request of Node, Express or Fastify fits. */
export type CarriedRequest = BearerRequest;

/** What the caller may be told of a refusal. */
export interface CarriedRefusal {
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
 * For one kind of context other than HTTP, given in `forRoot({ carriers: [...] })`. `nestjs-keycloak-s2s/graphql`, `/microservices` and
 * `/websockets` each export one. It decides nothing: the guard judges what it finds, by the decorators of the handler.
 *
 * `args` are the arguments of Nest's `ExecutionContext`, as `getArgs()` gives them.
 */
export interface CredentialCarrier {
  /** What `ExecutionContext.getType()` says of these contexts: `graphql`, `rpc`, `ws`, or a word of your own. */
  readonly kind: string;
  /**
   * The argument with which the caller's token is kept for `@AccessToken()`. It must be of this call (or of its connection) alone: two callers
   * that share it would be taken for each other.
   */
  callOf(args: readonly unknown[]): object;
  /** Looks at every call first, what is `@Public()` too. Throws `BearerError` for one that can't be told from another. */
  begin?(args: readonly unknown[]): void;
  /**
   * The headers that came with the call. The guard takes the one `Authorization: Bearer` out of them, by the rules for HTTP. When two calls
   * give the same object, as two operations of one HTTP request do, the token is judged once for both.
   *
   * Throws `BearerError` where the transport has no headers.
   */
  requestOf(args: readonly unknown[]): CarriedRequest;
  /**
   * What is thrown in the place of a refusal, so that the caller gets the code in its transport's own form. Undefined where the carrier has answered
   * itself, and nothing may be thrown.
   */
  toException(refusal: CarriedRefusal, args: readonly unknown[]): unknown;
  /** Hears of each call that the guard refuses, once, before it is answered: to do away with a message, say. */
  refused?(refusal: CarriedRefusal, args: readonly unknown[]): void;
  /**
   * Hears of each call that could not be judged by a fault of the application itself, as where the option `permissions` throws. True where the carrier has
   * answered, and nothing may be thrown.
   */
  failed?(args: readonly unknown[]): boolean;
  /**
   * Answers with such an exception, as a filter of this transport does; what it returns is what the filter returns. For refusals that a handler
   * throws, such as a `ServiceCallError`. Default: throws the exception.
   */
  answer?(exception: unknown, args: readonly unknown[]): unknown;
  /** The connection that the caller listens on, if there is one: it is closed when the token ends or is denied. */
  connectionOf?(args: readonly unknown[]): LongLivedConnection | undefined;
}
