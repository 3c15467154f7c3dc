/** IntrospectionGuard: the one global guard. A request passes only when its route is open to it. */
import { Logger, type ArgumentsHost, type CanActivate, type ExecutionContext } from '@nestjs/common';
import { BearerError } from '../protocol/bearer-error.js';
import { Refusal } from '../protocol/refusal.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { AccessTokenVerifier } from './access-token-verifier.js';
import { markAdmitted } from './admitted-contexts.js';
import { authorize } from './authorize.js';
import { bearerToken, type BearerRequest } from './bearer-token.js';
import type { CarriedRequest, CredentialCarrier, LongLivedConnection } from './credential-carrier.js';
import { eventStreamOf } from './event-stream.js';
import type { HeldConnections } from './held-connections.js';
import type { RefusalFilter } from './refusal.filter.js';
import { routeAccess, type RouteAccess } from './route-access.js';
import { rememberCallToken, rememberToken, tokenVerifiedBy } from './verified-requests.js';
import { demandedStaleness, NOTHING_SAID, type TokenVerification } from './verification.js';

/**
 * Registered for the whole application by `KeycloakModule`. It reads what the decorators of the handler say, in every kind of context. Where
 * they demand a token, it introspects the one that came with the call, with this service's own credentials, or checks its signature, as the option `verification` and
 * `@Verification()` say; it judges what that gives, and holds it against the decorators. A token is verified once for a request, and authorized for every class and handler that runs for it.
 *
 * Over HTTP the token is in the `Authorization` header. For other kinds a `CredentialCarrier` finds it; what demands a token in a kind that
 * has none is refused.
 *
 * Throws `BearerError` for what is wrong with the caller's credentials and `AuthorizationServerError` when the authorization server gave
 * no answer; outside of HTTP what the carrier makes of them.
 */
export class IntrospectionGuard implements CanActivate {
  readonly #logger = new Logger('IntrospectionGuard');
  readonly #carriers: ReadonlyMap<string, CredentialCarrier>;
  /** By request, what is judged or was, by an answer of which age; undefined until it is first used (perf: guard-overhead). */
  #judgements: WeakMap<object, Judgement> | undefined;

  constructor(
    private readonly verifier: AccessTokenVerifier,
    private readonly options: {
      readonly maxTokenBytes: number;
      readonly carriers: readonly CredentialCarrier[];
      readonly verification: TokenVerification;
    },
    private readonly refusals: Pick<RefusalFilter, 'tell' | 'toException' | 'toReply'>,
    private readonly connections: Pick<HeldConnections, 'hold'>,
  ) {
    this.#carriers = new Map(options.carriers.map((carrier) => [carrier.kind, carrier]));
  }

  /** Answers at once when the answer about the token is cached (perf: guard-overhead). */
  canActivate(context: ExecutionContext): boolean | Promise<boolean> {
    try {
      const admitted = this.#judge(context);
      return admitted instanceof Promise ? admitted.catch((error: unknown) => this.#refuse(error, context)) : admitted;
    } catch (error) {
      return this.#refuse(error, context);
    }
  }

  /**
   * The caller of a call, for guards, interceptors, pipes and providers of the application, whichever runs first: judged when it is asked for, and
   * once for a request, also for the guard itself, unless the handler demands more than the option `verification`. Give it the context, or the request of
   * Express or Fastify.
   *
   * Undefined when no token was sent. It holds nobody against the decorators: who is not admitted yet may be no caller of the handler. On a
   * `@Public()` handler it judges a token that was sent all the same.
   *
   * Throws what the guard throws of a bad token: `BearerError`, `AuthorizationServerError`; and `BearerError` `route_closed` for a context whose kind has
   * no carrier; `TypeError` for what is neither context nor request, as what Nest injects by `REQUEST` outside of HTTP, since it can't be told whether a token came with it.
   */
  async callerOf(of: ArgumentsHost | CarriedRequest): Promise<VerifiedAccessToken | undefined> {
    checkCallOrRequest(of);
    const { kind, request, isLongLived } = this.#callOf(of);
    const demanded = demandedStaleness(NOTHING_SAID, this.options.verification);
    const known = isLongLived ? undefined : tokenVerifiedBy(this, request, demanded);
    if (known !== undefined && this.verifier.stillHolds(known)) return known;
    const text = bearerToken(request, this.options.maxTokenBytes);
    if (text === undefined) return undefined;
    return isLongLived
      ? this.verifier.judge(text, demanded, kind, request)
      : this.#shared(text, demanded, kind, request);
  }

  #callOf(of: ArgumentsHost | CarriedRequest): { kind: string; request: CarriedRequest; isLongLived: boolean } {
    if (!('getArgs' in of)) return { kind: 'http', request: of, isLongLived: false };
    const kind = of.getType<string>();
    const args = of.getArgs();
    if (kind === 'http') return { kind, request: args[0] as CarriedRequest, isLongLived: false };
    const carrier = this.#carriers.get(kind);
    if (carrier === undefined) throw withoutCarrier(kind);
    return { kind, request: carrier.requestOf(args), isLongLived: carrier.connectionOf?.(args) !== undefined };
  }

  #refuse(error: unknown, context: ExecutionContext): Promise<never> {
    const carrier = this.#carriers.get(context.getType<string>());
    if (!(error instanceof Refusal)) return this.#fail(error, context, carrier);
    this.refusals.tell(error, context);
    carrier?.refused?.(this.refusals.toReply(error), context.getArgs());
    const exception = this.refusals.toException(error, context);
    if (exception !== undefined) throw exception;
    return answered();
  }

  /** For what is no refusal: an error of the application, which Nest answers and logs wherever it hears of it. */
  #fail(error: unknown, context: ExecutionContext, carrier: CredentialCarrier | undefined): Promise<never> {
    if (carrier?.failed?.(context.getArgs()) !== true) throw error;
    this.#logger.error(error instanceof Error ? error : 'A call could not be judged');
    return answered();
  }

  #judge(context: ExecutionContext): boolean | Promise<boolean> {
    const kind = context.getType<string>();
    const carrier = kind === 'http' ? undefined : this.#carriers.get(kind);
    carrier?.begin?.(context.getArgs());
    const access = routeAccess(context.getClass(), context.getHandler());
    if (access.opening === 'public') return markAdmitted(context);
    if (access.opening === 'closed') {
      throw new BearerError('route_closed', {
        reason: access.fault === undefined ? 'no_decorator_opens_it' : 'access_unclear',
      });
    }
    // `switchToHttp().getRequest()` without its object (perf: guard-overhead).
    if (kind === 'http') return this.#judgeRequest(context, context.getArgByIndex<BearerRequest>(0), access);
    if (carrier !== undefined) return this.#judgeCarried(context, carrier, access);
    throw withoutCarrier(kind);
  }

  #judgeRequest(context: ExecutionContext, request: BearerRequest, access: RouteAccess): boolean | Promise<boolean> {
    const demanded = demandedStaleness(access, this.options.verification);
    const token = this.#tokenOf(request, access, demanded, 'http', true);
    return token instanceof Promise
      ? token.then((judged) => this.#admit(context, request, judged, access, demanded))
      : this.#admit(context, request, token, access, demanded);
  }

  async #judgeCarried(context: ExecutionContext, carrier: CredentialCarrier, access: RouteAccess): Promise<boolean> {
    const args = context.getArgs();
    const request = carrier.requestOf(args);
    const connection = carrier.connectionOf?.(args);
    // Each message of a connection is judged by itself.
    const demanded = demandedStaleness(access, this.options.verification);
    const token = await this.#tokenOf(request, access, demanded, carrier.kind, connection === undefined);
    // Before it is held against the handler: another one may be open to it, and the answer is the same.
    if (token !== undefined) {
      rememberToken(this, request, token, demanded);
      authorize(token, access, this.verifier);
    }
    rememberCallToken(carrier.callOf(args), token);
    if (token !== undefined && connection !== undefined) this.#hold(connection, request, token, demanded);
    return markAdmitted(context);
  }

  /** Undefined when none was sent to a handler that takes that. */
  #tokenOf(
    request: BearerRequest,
    { opening }: RouteAccess,
    demanded: number,
    kind: string,
    mayBeKnown: boolean,
  ): VerifiedAccessToken | undefined | Promise<VerifiedAccessToken> {
    // Of a handler that ran before this one, for the same request.
    const verified = mayBeKnown ? tokenVerifiedBy(this, request, demanded) : undefined;
    if (verified !== undefined && this.verifier.stillHolds(verified)) return verified;
    const text = bearerToken(request, this.options.maxTokenBytes);
    if (text !== undefined) {
      // Over HTTP one handler runs for a request, unless somebody asked for the caller before.
      const isShared = mayBeKnown && (kind !== 'http' || this.#judgements?.has(request) === true);
      return isShared
        ? this.#shared(text, demanded, kind, request)
        : this.verifier.judge(text, demanded, kind, request);
    }
    if (opening === 'optional') return undefined;
    throw new BearerError('missing_token', { reason: 'no_credentials' });
  }

  /** One judgement for all that ask about a request, by an answer that is fresh enough for each; anew for a token that was denied meanwhile. */
  async #shared(
    text: string,
    maxStaleness: number,
    kind: string,
    request: BearerRequest,
  ): Promise<VerifiedAccessToken> {
    this.#judgements ??= new WeakMap();
    const earlier = this.#judgements.get(request);
    if (earlier !== undefined && earlier.maxStaleness <= maxStaleness) {
      const token = await earlier.token;
      if (this.verifier.stillHolds(token)) return token;
    }
    const token = Promise.resolve(this.verifier.judge(text, maxStaleness, kind, request));
    this.#judgements.set(request, { maxStaleness, token });
    return token;
  }

  #judgeAnew(request: BearerRequest, maxStaleness: number): VerifiedAccessToken | Promise<VerifiedAccessToken> {
    return this.verifier.judgeAnew(bearerToken(request, this.options.maxTokenBytes) ?? '', maxStaleness);
  }

  #admit(
    context: ExecutionContext,
    request: BearerRequest,
    token: VerifiedAccessToken | undefined,
    access: RouteAccess,
    demanded: number,
  ): true {
    if (token !== undefined) {
      authorize(token, access, this.verifier);
      rememberToken(this, request, token, demanded);
      if (access.isEventStream === true) {
        this.#hold(eventStreamOf(context.getArgByIndex<object>(1)), request, token, demanded);
      }
    }
    return markAdmitted(context);
  }

  /** Who only listens is judged, too. */
  #hold(connection: LongLivedConnection, request: BearerRequest, token: VerifiedAccessToken, demanded: number): void {
    this.connections.hold(connection, token, (maxStaleness) => this.#judgeAnew(request, maxStaleness), demanded);
  }
}

interface Judgement {
  readonly maxStaleness: number;
  readonly token: Promise<VerifiedAccessToken>;
}

/** Nothing runs, and nothing is thrown. */
const answered = (): Promise<never> => new Promise(() => {});

/** What is injected by `REQUEST` is undefined in a job, a context in GraphQL, and pattern and data in a message. */
function checkCallOrRequest(given: unknown): void {
  const { getArgs, headers } = Object(given) as Readonly<Record<string, unknown>>;
  if (typeof getArgs === 'function' || (typeof headers === 'object' && headers !== null)) return;
  throw new TypeError(
    'callerOf() takes an ExecutionContext, or a request with its headers: where there is neither, as in a job, there is no caller to ask for',
  );
}

const withoutCarrier = (kind: string): BearerError =>
  new BearerError('route_closed', { reason: 'context_without_carrier', fields: { kind } });
