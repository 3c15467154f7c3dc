import { Logger, type ExecutionContext, type OnApplicationShutdown } from '@nestjs/common';
import { RepeatedFailures } from '../diagnostics/repeated-failures.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { AccessTokenVerifier } from './access-token-verifier.js';
import { authorize } from './authorize.js';
import { bearerToken, type BearerRequest } from './bearer-token.js';
import { missingToken, routeClosed, withoutAdapter } from './call-demands.js';
import { checkCallOrRequest, isCallContext } from './call-or-request.js';
import {
  adapterOf,
  type AdaptedRequest,
  type CallContext,
  type LongLivedConnection,
  type RequestAdapter,
} from './request.adapter.js';
import { responseStreamOf } from './event-stream.js';
import type { HeldConnections } from './held-connections.js';
import type { KeycloakExceptionFilter } from './keycloak-exception.filter.js';
import { routeAccess, type RouteAccess } from './route-access.js';
import { SharedVerifications } from './shared-verifications.js';
import type { TokenVerifier } from './token-issuer.js';
import { transportException } from './transport.exception.js';
import {
  markAdmitted,
  rememberAdmitted,
  rememberCallToken,
  rememberVerified,
  tokenVerifiedBy,
} from './verified-requests.js';
import { demandedStaleness, NOTHING_SAID, type VerificationMethod } from './verification.js';

/** All `KeycloakGuard`s share one `Admission`, so that a request or message is verified only once. */
export class Admission implements OnApplicationShutdown {
  readonly #failures = new RepeatedFailures(new Logger('KeycloakGuard'), {
    one: 'A call could not be authorized',
    others: 'Several calls could not be authorized',
  });
  /** Undefined until the first `callerOf()` or the first call outside of HTTP (perf: guard-overhead). */
  #verifications: SharedVerifications | undefined;
  readonly #tokens: TokenVerifier;
  readonly #staleness: number;

  constructor(
    private readonly verifier: AccessTokenVerifier,
    private readonly options: {
      readonly maxTokenBytes: number;
      readonly requestAdapters: readonly RequestAdapter[];
      readonly verification: VerificationMethod;
    },
    private readonly refusals: Pick<KeycloakExceptionFilter, 'tell' | 'toException' | 'toReply'>,
    private readonly connections: Pick<HeldConnections, 'hold' | 'release'>,
  ) {
    this.#tokens = verifier.tokens;
    this.#staleness = demandedStaleness(NOTHING_SAID, options.verification);
  }

  admit(context: ExecutionContext): boolean | Promise<boolean> {
    try {
      const admitted = this.#authorizeCall(context);
      return admitted instanceof Promise ? admitted.catch((error: unknown) => this.#refuse(error, context)) : admitted;
    } catch (error) {
      return this.#refuse(error, context);
    }
  }

  async callerOf(of: CallContext | AdaptedRequest): Promise<VerifiedAccessToken | undefined> {
    checkCallOrRequest(of);
    const { kind, request, isLongLived } = this.#callOf(of);
    const demanded = this.#staleness;
    const known = isLongLived ? undefined : tokenVerifiedBy(this, request, demanded);
    if (known !== undefined && this.verifier.stillHolds(known)) return known;
    const text = bearerToken(request, this.options.maxTokenBytes);
    if (text === undefined) return undefined;
    return isLongLived
      ? this.#tokens.verify(text, demanded, kind, request)
      : this.#shared().verify(text, demanded, kind, request);
  }

  #shared(): SharedVerifications {
    this.#verifications ??= new SharedVerifications(this.verifier);
    return this.#verifications;
  }

  #callOf(of: CallContext | AdaptedRequest): { kind: string; request: AdaptedRequest; isLongLived: boolean } {
    if (!isCallContext(of)) return { kind: 'http', request: of, isLongLived: false };
    const kind = of.getType<string>();
    if (kind === 'http') return { kind, request: of.getArgByIndex<AdaptedRequest>(0), isLongLived: false };
    const adapter = adapterOf(this.options.requestAdapters, of);
    if (adapter === undefined) throw withoutAdapter(kind);
    return { kind, request: adapter.requestOf(of), isLongLived: adapter.connectionOf?.(of) !== undefined };
  }

  #refuse(error: unknown, context: ExecutionContext): Promise<never> {
    const adapter = adapterOf(this.options.requestAdapters, context);
    if (!(error instanceof KeycloakException)) return this.#fail(error, context, adapter);
    this.refusals.tell(error, context);
    if (adapter === undefined) return this.#refuseWithoutAdapter(error, context);
    adapter.refused?.(this.refusals.toReply(error, context), context);
    const exception = this.refusals.toException(error, context);
    if (exception !== undefined) throw exception;
    return answered();
  }

  #refuseWithoutAdapter(refusal: KeycloakException, context: ExecutionContext): Promise<never> {
    if (context.getType<string>() === 'http') throw refusal;
    return transportException(this.refusals.toReply(refusal).body, context).then((exception) => {
      throw exception ?? refusal;
    });
  }

  #fail(error: unknown, context: ExecutionContext, adapter: RequestAdapter | undefined): Promise<never> {
    if (adapter?.failed?.(context) !== true) throw error;
    this.#failures.log(error);
    return answered();
  }

  onApplicationShutdown(): void {
    this.#failures.end();
  }

  #authorizeCall(context: ExecutionContext): boolean | Promise<boolean> {
    const kind = context.getType<string>();
    const adapter = kind === 'http' ? undefined : adapterOf(this.options.requestAdapters, context);
    adapter?.begin?.(context);
    const access = routeAccess(context.getClass(), context.getHandler());
    if (access.opening === 'public') return markAdmitted(context);
    if (access.opening === 'closed') throw routeClosed(access);
    if (kind === 'http') return this.#authorizeRequest(context, context.getArgByIndex<BearerRequest>(0), access);
    if (adapter !== undefined) return this.#authorizeAdapted(context, adapter, access);
    throw withoutAdapter(kind);
  }

  #authorizeRequest(
    context: ExecutionContext,
    request: BearerRequest,
    access: RouteAccess,
  ): boolean | Promise<boolean> {
    const demanded = access.staleness ?? this.#staleness;
    const token = this.#tokenOf(request, access, demanded, 'http', true);
    return token instanceof Promise
      ? token.then((verified) => this.#admit(context, request, verified, access, demanded))
      : this.#admit(context, request, token, access, demanded);
  }

  async #authorizeAdapted(context: ExecutionContext, adapter: RequestAdapter, access: RouteAccess): Promise<boolean> {
    const request = adapter.requestOf(context);
    const connection = adapter.connectionOf?.(context);
    const demanded = access.staleness ?? this.#staleness;
    const token = await this.#tokenOf(request, access, demanded, adapter.kind, connection === undefined);
    if (token !== undefined) this.#authorize(request, token, access, demanded);
    rememberCallToken(adapter.callOf(context), token);
    if (token !== undefined && connection !== undefined) this.#hold(connection, request, token, demanded);
    return markAdmitted(context);
  }

  #tokenOf(
    request: BearerRequest,
    access: RouteAccess,
    demanded: number,
    kind: string,
    mayBeKnown: boolean,
  ): VerifiedAccessToken | undefined | Promise<VerifiedAccessToken> {
    const verified = mayBeKnown ? tokenVerifiedBy(this, request, demanded) : undefined;
    if (verified !== undefined && this.verifier.stillHolds(verified)) return verified;
    const text = bearerToken(request, this.options.maxTokenBytes);
    if (text === undefined) {
      if (access.opening === 'optional') return undefined;
      throw missingToken();
    }
    // An HTTP request runs one handler, and can share a verification only with `callerOf()`.
    const isShared = mayBeKnown && (kind !== 'http' || this.#verifications?.has(request) === true);
    return isShared
      ? this.#shared().verify(text, demanded, kind, request)
      : this.#tokens.verify(text, demanded, kind, request);
  }

  #verifyAnew(request: BearerRequest, maxStaleness: number): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return this.#tokens.verifyAnew(bearerToken(request, this.options.maxTokenBytes) ?? '', maxStaleness);
  }

  #admit(
    context: ExecutionContext,
    request: BearerRequest,
    token: VerifiedAccessToken | undefined,
    access: RouteAccess,
    demanded: number,
  ): true {
    if (token !== undefined) {
      this.#authorize(request, token, access, demanded);
      if (access.isLongLived === true) {
        const stream = responseStreamOf(context.getArgByIndex<object>(1), this.connections.release);
        this.#hold(stream, request, token, demanded);
      }
    }
    return markAdmitted(context);
  }

  /** Stores the token before the checks, because another handler of the request may accept the token. */
  #authorize(request: BearerRequest, token: VerifiedAccessToken, access: RouteAccess, demanded: number): void {
    rememberVerified(this, request, token, demanded);
    authorize(token, access, this.verifier);
    rememberAdmitted(request, token);
  }

  #hold(connection: LongLivedConnection, request: BearerRequest, token: VerifiedAccessToken, demanded: number): void {
    this.connections.hold(connection, token, (maxStaleness) => this.#verifyAnew(request, maxStaleness), demanded);
  }
}

/** Never settles, because the request adapter has already answered the call. */
const answered = (): Promise<never> => new Promise(() => {});
