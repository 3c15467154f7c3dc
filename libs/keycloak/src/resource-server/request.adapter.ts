import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import type { RefusalBody } from '../protocol/keycloak-exception.js';
import type { BearerRequest } from './bearer-token.js';

/** Has the headers of a call; for example, requests of Node, Express and Fastify have this type. */
export type AdaptedRequest = BearerRequest;

/** The part of a refusal that the caller may see. */
export interface AdaptedRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RefusalBody;
}

/** A connection on which a caller keeps receiving data after its call was admitted. */
export interface LongLivedConnection {
  /** The object that identifies the connection; each call on the connection must return this object. */
  readonly key: object;
  isOpen(): boolean;
  close(): void;
}

/**
 * Nest's context of a call. In an exception filter, `getClass()` and `getHandler()` are missing, or return null or
 * undefined.
 */
export type CallContext = ArgumentsHost & Partial<Pick<ExecutionContext, 'getClass' | 'getHandler'>>;

/**
 * An adapter in `forRoot({ requestAdapters: [...] })` reads the credentials in one kind of context, but not in HTTP
 * contexts. An adapter makes no access decision: the guard verifies the token that the adapter finds.
 *
 * A method may rely only on values from the framework: the context kind, an argument's position, an object's class, the
 * handler's metadata. Members of an argument that the caller sent are untrusted, because a payload can have members of
 * any name.
 */
export interface RequestAdapter {
  /** The value of `ExecutionContext.getType()` in these contexts: `graphql`, `rpc`, `ws`, or a name of your own. */
  readonly kind: string;
  /**
   * Returns the argument with which the guard stores the caller's token for `@Caller()`. The object must belong only to
   * this call or to its connection: two callers with one object would share one identity.
   */
  callOf(context: CallContext): object;
  /**
   * The guard calls this method first for every call, including calls of `@Public()` handlers. Throws `BearerError` for
   * a call that can't be distinguished from another call.
   */
  begin?(context: CallContext): void;
  /**
   * Returns the headers of the call, with its `Authorization: Bearer` header. If the adapter returns the same object
   * for two calls, such as two operations of one HTTP request, the guard verifies the token once. Throws `BearerError`
   * if the transport has no headers.
   */
  requestOf(context: CallContext): AdaptedRequest;
  /**
   * Returns the exception to throw for a refusal, so that the caller gets the code in the format of the transport.
   * Returns undefined if the request adapter has answered the call itself; the guard then throws no exception.
   */
  toException(refusal: AdaptedRefusal, context: CallContext): unknown;
  /** Handles a refused call before the answer, and can reject a message. Runs once for each refused call. */
  refused?(refusal: AdaptedRefusal, context: CallContext): void;
  /**
   * Handles a call that the guard could not check because the application failed, for example if `mapPermissions`
   * throws. Returns true if the request adapter has answered the call; the guard then throws no exception.
   */
  failed?(context: CallContext): boolean;
  /**
   * Answers a refusal that a handler throws, such as a `ServiceCallError`. `exception` is the result of
   * `toException()`. Exception filters of this transport return an answer, so the library's filter returns the result
   * of this method. Default: the filter throws the exception.
   */
  answer?(exception: unknown, context: CallContext): unknown;
  /**
   * Returns the connection, if any, on which the caller keeps receiving data. The connection is closed when the token
   * expires or is denied.
   */
  connectionOf?(context: CallContext): LongLivedConnection | undefined;
}
