import { applyDecorators, SetMetadata, UseGuards } from '@nestjs/common';
import { ChallengeScopes, LongLivedResponse } from 'nestjs-keycloak-s2s/extension';
import { resolveEndpointOptions, type McpEndpointOptions } from './endpoint-options.js';
import { mcpEndpointGuard } from './mcp-endpoint.guard.js';
import { ENDPOINT } from './mcp-handlers.discovery.js';

/**
 * Marks a controller that serves MCP by HTTP. The controller also needs an access decorator, such as
 * `@RequirePermission()`: `@McpEndpoint` opens no route.
 *
 * - A call of a tool, prompt or resource whose token lacks a scope gets 403 `insufficient_scope` before the JSON-RPC
 *   answer. The challenge names all scopes of the endpoint and the handler. The call gets a tool error if a login does
 *   not help. A login does not help with `mapPermissions`, or if a newer token of the same user and client lacks the
 *   scope again within ten minutes.
 * - A foreign `Origin` gets 403, and an `Mcp-Session-Id` gets 404, since the endpoint has no sessions. A request without
 *   a valid token gets 401 first.
 * - A stream ends when its token expires or is revoked. A stream also ends if Keycloak does not answer for
 *   `introspectionTtlSeconds` (up to 1.5 times). The response of a running tool is cut too.
 *
 * The application does not start if a handler has no access decorator. Throws `ConfigurationError` for invalid options.
 */
export function McpEndpoint(options: McpEndpointOptions = {}): ClassDecorator {
  const resolved = resolveEndpointOptions(options);
  const challenge = resolved.challenge === 'endpoint' ? [ChallengeScopes()] : [];
  const guard = UseGuards(mcpEndpointGuard(resolved));
  return applyDecorators(SetMetadata(ENDPOINT, true), LongLivedResponse(), ...challenge, guard);
}
