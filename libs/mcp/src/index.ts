/**
 * Guards the endpoint, the tools, the prompts and the resources of an MCP server. This package is experimental: it is
 * not part of the stability promise of nestjs-keycloak-s2s.
 *
 * @packageDocumentation
 * @category Experimental
 */
export { authInfoOf } from './auth-info.js';
export { McpEndpoint } from './mcp-endpoint.decorator.js';
export { mcpRequestAdapter } from './mcp-request.adapter.js';

export type { McpAuthInfo } from './auth-info.js';
export type { McpEndpointOptions } from './endpoint-options.js';
