import { Logger } from '@nestjs/common';
import type { DiscoveryService } from '@nestjs/core';
import { RepeatedFailures } from '../diagnostics/repeated-failures.js';
import { BearerError } from '../protocol/bearer-error.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import type { VerifiedAccessToken } from '../protocol/verified-access-token.js';
import type { AccessTokenVerifier } from './access-token-verifier.js';
import { authorize } from './authorize.js';
import { bearerToken } from './bearer-token.js';
import { missingToken } from './call-demands.js';
import type { AdaptedRefusal, AdaptedRequest, LongLivedConnection } from './request.adapter.js';
import { gatewayPlaceOf, hostsOf, type Host } from './handlers.discovery.js';
import type { HeldConnections } from './held-connections.js';
import type { ObservedJudgements } from './observed-judgements.js';
import type { KeycloakExceptionFilter } from './keycloak-exception.filter.js';
import { classAccess, type RouteAccess } from './route-access.js';
import { demandedStaleness, NOTHING_SAID, type DemandedVerification, type VerificationMethod } from './verification.js';

export interface GuardedGateway {
  readonly name: string;
  readonly namespace: unknown;
  readonly access: RouteAccess;
}

/**
 * Checks handshakes for the adapter of `nestjs-keycloak-s2s/websockets`. Nest calls the adapter before the application
 * has started.
 */
export class GatewayHandshakes {
  readonly #failures = new RepeatedFailures(new Logger('GatewayHandshakes'), {
    one: 'A handshake failed',
    others: 'Several handshakes failed',
  });
  readonly #guarded = new Set<object>();
  readonly #demanded = new WeakMap<VerifiedAccessToken, number>();

  constructor(
    private readonly discovery: DiscoveryService,
    private readonly verifier: AccessTokenVerifier,
    private readonly options: { readonly maxTokenBytes: number; readonly verification: VerificationMethod },
    private readonly refusals: KeycloakExceptionFilter,
    private readonly connections: Pick<HeldConnections, 'hold'>,
    private readonly adapterHost: { readonly httpAdapter?: unknown },
    private readonly judgements?: ObservedJudgements,
  ) {}

  guard(port: number, path: unknown): GuardedGateway[] {
    return this.#gateways()
      .filter(({ place }) => place.port === port && place.path === path)
      .map(({ host, place }) => {
        this.#guarded.add(host.prototype);
        return { name: host.name, namespace: place.namespace, access: classAccess(host.prototype) };
      });
  }

  isGuarded({ prototype }: Pick<Host, 'prototype'>): boolean {
    return this.#guarded.has(prototype);
  }

  /** Returns false in a standalone application context, in which Nest connects no gateway. */
  mayListen(): boolean {
    return Boolean(this.adapterHost.httpAdapter);
  }

  #gateways(): { readonly host: Host; readonly place: ReturnType<typeof gatewayPlaceOf> }[] {
    return hostsOf(this.discovery)
      .filter(({ isGateway }) => isGateway)
      .map((host) => ({ host, place: gatewayPlaceOf(host) }));
  }

  async authorize(
    request: AdaptedRequest,
    gateways: readonly GuardedGateway[],
  ): Promise<VerifiedAccessToken | undefined> {
    const demands = gateways.map(({ access }) => access);
    const gateway = gateways.map(({ name }) => name).join(', ');
    if (this.judgements !== undefined) {
      const describe = () => ({ route: `ws ${gateway}`, fields: {} });
      this.judgements.observe(() => this.#authorize(request, demands), describe);
      return undefined;
    }
    try {
      return await this.#authorize(request, demands);
    } catch (error) {
      if (error instanceof KeycloakException) this.refusals.log(error, undefined, { kind: 'ws', gateway });
      throw error;
    }
  }

  refuseStart(message: string): void {
    const refuse = (): void => {
      throw new Error(message);
    };
    if (this.judgements === undefined) refuse();
    else this.judgements.faults.run(refuse, undefined);
  }

  async #authorize(request: AdaptedRequest, demands: readonly RouteAccess[]): Promise<VerifiedAccessToken | undefined> {
    const openings = new Set(demands.map(({ opening }) => opening));
    if (openings.has('closed')) throw new BearerError('route_closed', { reason: 'no_decorator_opens_it' });
    if (demands.length > 0 && [...openings].every((opening) => opening === 'public')) return undefined;
    const text = bearerToken(request, this.options.maxTokenBytes);
    if (text === undefined) {
      if (demands.length > 0 && !openings.has('authenticated')) return undefined;
      throw missingToken();
    }
    const demanding = demands.filter(({ opening }) => opening !== 'public');
    const demanded = this.#strictest(demanding);
    const token = await this.verifier.tokens.verify(text, demanded, 'ws', request);
    for (const access of demanding) authorize(token, access, this.verifier);
    this.#demanded.set(token, demanded);
    return token;
  }

  #strictest(demands: readonly DemandedVerification[]): number {
    const all = demands.length === 0 ? [NOTHING_SAID] : demands;
    return Math.min(...all.map((demand) => demandedStaleness(demand, this.options.verification)));
  }

  refusalOfSession(): KeycloakException {
    const refusal = new BearerError('invalid_token', { reason: 'session_unknown' });
    this.refusals.log(refusal, undefined, { kind: 'ws' });
    return refusal;
  }

  /** Logs an application error during a handshake, because no other code logs the error. */
  logFailure(error: unknown): void {
    this.#failures.log(error);
  }

  onApplicationShutdown(): void {
    this.#failures.end();
  }

  hold(connection: LongLivedConnection, token: VerifiedAccessToken, request: AdaptedRequest): void {
    const text = bearerToken(request, this.options.maxTokenBytes) ?? '';
    const reverify = (maxStaleness: number) => this.verifier.tokens.verifyAnew(text, maxStaleness);
    this.connections.hold(connection, token, reverify, this.#demanded.get(token));
  }

  toReply(refusal: KeycloakException): AdaptedRefusal {
    return this.refusals.toReply(refusal);
  }
}
