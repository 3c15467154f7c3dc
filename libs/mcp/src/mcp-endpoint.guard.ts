import {
  Inject,
  Injectable,
  type CanActivate,
  type ExecutionContext,
  type OnApplicationBootstrap,
  type Type,
} from '@nestjs/common';
import { ModuleRef } from '@nestjs/core';
import { KeycloakStatus } from 'nestjs-keycloak-s2s';
import type { AdaptedRequest } from 'nestjs-keycloak-s2s/extension';
import { rememberAdmitted } from './admitted-requests.js';
import { demandOriginsInProduction, type ResolvedEndpointOptions } from './endpoint-options.js';
import { RefusedRequests } from './refused-requests.exception.js';
import { ScopeChallenges } from './scope-challenges.discovery.js';

type EndpointRequest = AdaptedRequest & { readonly body?: unknown; readonly raw?: unknown };

/** Each endpoint has a guard class of its own, which Nest creates and starts with the endpoint's module. */
export function mcpEndpointGuard(options: ResolvedEndpointOptions): Type<CanActivate> {
  @Injectable()
  class McpEndpointGuard implements CanActivate, OnApplicationBootstrap {
    readonly #refused = new RefusedRequests(options);
    readonly #challenges: ScopeChallenges;
    #isEnforcing = true;

    constructor(@Inject(ModuleRef) private readonly moduleRef: ModuleRef) {
      demandOriginsInProduction(options, process.env['NODE_ENV']);
      this.#challenges = new ScopeChallenges(moduleRef);
    }

    onApplicationBootstrap(): void {
      const status = this.moduleRef.get<KeycloakStatus>(KeycloakStatus, { strict: false });
      this.#isEnforcing = status.read().enforcement.mode === 'enforce';
      if (!this.#isEnforcing) return;
      this.#challenges.refuseUnadapted();
      this.#challenges.refuseUndecorated();
    }

    /** The global guard has verified the token of the request before. */
    canActivate(context: ExecutionContext): true {
      if (context.getType() !== 'http') return true;
      const request = context.switchToHttp().getRequest<EndpointRequest>();
      if (this.#isEnforcing) this.#refused.refuse(request);
      rememberAdmitted(request);
      if (this.#isEnforcing) this.#challenges.challenge(context, request, request.body);
      return true;
    }
  }
  return McpEndpointGuard;
}
