import type { ArgumentsHost, ExecutionContext } from '@nestjs/common';
import type { RefusalBody } from '../protocol/keycloak-exception.js';
import type { BearerRequest } from './bearer-token.js';

/** Contains the call's headers. Requests of Node, Express and Fastify fit this type. */
export type AdaptedRequest = BearerRequest;

/** The part of a refusal that the caller may see. */
export interface AdaptedRefusal {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: RefusalBody;
}

/** A connection on which a caller keeps receiving data after its call was admitted. */
export interface LongLivedConnection {
  /** Identifies the connection; each call on the connection must return the same object. */
  readonly key: object;
  isOpen(): boolean;
  close(): void;
}

/**
 * Nest's context of a call. In an exception filter, `getClass()` and `getHandler()` may be missing, or may return null
 * or undefined.
 */
export type CallContext = ArgumentsHost & Partial<Pick<ExecutionContext, 'getClass' | 'getHandler'>>;

/**
 * An adapter in `forRoot({ requestAdapters: [...] })` reads the credentials in one kind of context. HTTP needs no
 * adapter. An adapter makes no access decision: the guard verifies the found token.
 *
 * A method of an adapter may rely only on framework values: the context kind, an argument's position, an object's
 * class, the handler's metadata. Members of an argument from the caller are untrusted: a payload can have any member.
 */
export interface RequestAdapter {
  /**
   * The value of `ExecutionContext.getType()` in the contexts of this adapter: `graphql`, `rpc`, `ws`, or a name of
   * your own.
   */
  readonly kind: string;
  /**
   * Says whether a call of this `kind` belongs to this adapter, so that several transports can share a kind. The adapters
   * of a kind are asked in the order of the list. One adapter of a kind may omit `isOwn`, and gets all other calls.
   *
   * Decide by an argument's class or by an argument that the framework creates, so that no caller can choose where the
   * guard looks for its token. An exception filter has no handler, so do not use the handler. If `isOwn` throws, the
   * call fails.
   */
  isOwn?(context: CallContext): boolean;
  /**
   * Returns the object with which the guard stores the caller's token for `@Caller()`. The object must belong only to
   * this call or its connection, because callers with a shared object share one identity.
   */
  callOf(context: CallContext): object;
  /**
   * The guard runs `begin` first for every call, including calls of `@Public()` handlers. Throws `BearerError` for a
   * call that can't be distinguished from another call.
   */
  begin?(context: CallContext): void;
  /**
   * Returns the headers of the call, with its `Authorization: Bearer` header. If the adapter returns one object for two
   * calls, the guard verifies the token once. Throws `BearerError` if the transport has no headers.
   */
  requestOf(context: CallContext): AdaptedRequest;
  /**
   * Returns the exception to throw for a refusal, in the format of the transport. Returns undefined if the adapter has
   * answered the call; the guard then throws nothing.
   */
  toException(refusal: AdaptedRefusal, context: CallContext): unknown;
  /** Handles a refused call before the answer, and can reject a message. Runs once for each refused call. */
  refused?(refusal: AdaptedRefusal, context: CallContext): void;
  /**
   * Handles a call that the guard could not check, for example if `mapPermissions` throws. Returns true if the adapter
   * has answered the call; the guard then throws nothing.
   */
  failed?(context: CallContext): boolean;
  /**
   * Answers a refusal that a handler throws, such as a `ServiceCallError`. `exception` is the result of
   * `toException()`. The library's exception filter returns the result of this method as the answer of the transport.
   * Default: the filter throws the exception.
   */
  answer?(exception: unknown, context: CallContext): unknown;
  /** The returned connection is closed when the token expires or is denied. */
  connectionOf?(context: CallContext): LongLivedConnection | undefined;
}

export function adapterOf(adapters: readonly RequestAdapter[], context: CallContext): RequestAdapter | undefined {
  const kind = context.getType<string>();
  let ofRest: RequestAdapter | undefined;
  for (const adapter of adapters) {
    if (adapter.kind !== kind) continue;
    if (adapter.isOwn === undefined) ofRest = adapter;
    else if (adapter.isOwn(context) === true) return adapter;
  }
  return ofRest;
}
