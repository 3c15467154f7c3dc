import type { ExecutionContext } from '@nestjs/common';
import { DiscoveryService, type ModuleRef } from '@nestjs/core';
import {
  BearerError,
  ConfigurationError,
  KeycloakExceptionFilter,
  verifiedTokenOf,
  type VerifiedAccessToken,
} from 'nestjs-keycloak-s2s';
import { HandlerAccess, type HandlerDemands } from 'nestjs-keycloak-s2s/extension';
import { calledOperation, type McpOperation } from './called-operation.js';
import { endpointsOf, mcpHandlers, type McpHandler } from './mcp-handlers.discovery.js';
import { isMcpRequestAdapter } from './mcp-request.adapter.js';
import { RepeatedRefusals } from './repeated-refusals.js';

/**
 * Refuses a call that lacks a scope while the HTTP status can still be chosen (MCP authorization, "Runtime Insufficient
 * Scope Errors"). This is not the protection of the handler: the guard checks each call of a handler again.
 */
export class ScopeChallenges {
  readonly #refusals = new RepeatedRefusals();
  #demandsOf: ReadonlyMap<string, HandlerDemands | undefined> | undefined;
  #access: HandlerAccess | undefined;

  constructor(private readonly moduleRef: ModuleRef) {}

  /** Without the adapter, each call of a handler would get a tool error, and the log would not tell why. */
  refuseUnadapted(): void {
    const handlers = mcpHandlers(this.#discovery());
    if (handlers.length === 0 || this.#handlerAccess().requestAdapters.some(isMcpRequestAdapter)) return;
    throw new ConfigurationError("The MCP server can't run its handlers", [
      'requestAdapters lacks mcpRequestAdapter(). Set it in the options of KeycloakModule, or of KeycloakTestingModule if the test replaces them',
    ]);
  }

  refuseUndecorated(): void {
    const closed = mcpHandlers(this.#discovery()).filter(
      ({ controller, method }) => this.#demands(controller, method).opening === 'closed',
    );
    if (closed.length === 0) return;
    throw new ConfigurationError(
      'Each handler of the MCP server needs an access decorator, such as @RequirePermission()',
      closed.map(({ label }) => label),
    );
  }

  challenge(context: ExecutionContext, request: object, body: unknown): void {
    const called = calledOperation(body);
    const token = called && verifiedTokenOf(request);
    const demands = called && this.#demandsOfCalled(called);
    if (token === undefined || demands === undefined || !this.#handlerAccess().permissionsAreScopes) return;
    const permission = missingPermission(token, demands);
    const key = (): string => JSON.stringify([token.issuer, token.subject, token.clientId, called]);
    if (permission === undefined) return this.#refusals.isEmpty ? undefined : this.#refusals.forget(key());
    if (this.#refusals.isRepeated(key(), token)) return;
    const endpoint = this.#demands(context.getClass(), context.getHandler());
    const scopes = [...new Set([endpoint, demands].flatMap((each) => scopesFor(token, each)))];
    const refusal = new BearerError('insufficient_scope', { reason: 'permission_missing', permission, scopes });
    // A filter of the application may catch the refusal before the filter of KeycloakModule.
    this.moduleRef.get<KeycloakExceptionFilter>(KeycloakExceptionFilter, { strict: false }).tell(refusal, context);
    throw refusal;
  }

  #demandsOfCalled(called: McpOperation): HandlerDemands | undefined {
    this.#demandsOf ??= this.#unambiguous();
    return this.#demandsOf.get(keyOf(called));
  }

  /**
   * Has no handler for a name of several servers, or if several endpoints exist: an endpoint does not name its server. Has
   * no resource that a template may match, because mcp-nest prefers the template.
   */
  #unambiguous(): ReadonlyMap<string, HandlerDemands | undefined> {
    const found = new Map<string, HandlerDemands | undefined>();
    if (endpointsOf(this.#discovery()) > 1) return found;
    const handlers = mcpHandlers(this.#discovery());
    const templates = handlers.filter(({ kind }) => kind === 'resource-template');
    for (const each of handlers) {
      if (each.kind === 'resource' && templates.some(({ name }) => mayMatch(name, each.name))) continue;
      const key = keyOf(each);
      found.set(key, found.has(key) ? undefined : this.#demands(each.controller, each.method));
    }
    return found;
  }

  #discovery(): DiscoveryService {
    return this.moduleRef.get<DiscoveryService>(DiscoveryService, { strict: false });
  }

  #demands(controller: object, method: object): HandlerDemands {
    return this.#handlerAccess().of(controller, method);
  }

  #handlerAccess(): HandlerAccess {
    this.#access ??= this.moduleRef.get<HandlerAccess>(HandlerAccess, { strict: false });
    return this.#access;
  }
}

const keyOf = ({ kind, name }: McpOperation | McpHandler): string =>
  `${kind}\n${kind === 'resource' ? withoutScheme(name) : name}`;

/** mcp-nest ignores the scheme of a URI. */
const withoutScheme = (uri: string): string => uri.split('://')[1] ?? uri;

/** A simple variable of a template matches one segment of the path. */
function mayMatch(template: string, uri: string): boolean {
  const [count, wanted] = [template, uri].map((each) => withoutScheme(each).split('/').length);
  return count === wanted || /[*]|[{][^\w]/.test(template);
}

function missingPermission(
  token: VerifiedAccessToken,
  { opening, permissions, anyOf }: HandlerDemands,
): string | undefined {
  if (opening === 'closed' || opening === 'public') return undefined;
  const has = (permission: string): boolean => token.hasPermission(permission);
  return permissions.find((each) => !has(each)) ?? anyOf.find((group) => !group.some(has))?.[0];
}

/** Names the alternative that the token has, as the guard does: the user may be allowed no other. */
function scopesFor(token: VerifiedAccessToken, { permissions, anyOf }: HandlerDemands): readonly string[] {
  const chosen = anyOf.flatMap((some) => some.find((each) => token.hasPermission(each)) ?? some[0] ?? []);
  return [...permissions, ...chosen];
}
