import 'reflect-metadata';
import { MetadataScanner, type DiscoveryService } from '@nestjs/core';

/** Nest's key for the patterns of a message handler. A handler of mcp-nest has a pattern such as `{ mcp: 'tool', name }`. */
const PATTERNS = 'microservices:pattern';

export interface McpHandler {
  readonly kind: string;
  readonly name: string;
  readonly label: string;
  readonly controller: object;
  readonly method: object;
}

export const ENDPOINT = 'nestjs-keycloak-s2s-mcp:endpoint';

export const endpointsOf = (discovery: Pick<DiscoveryService, 'getControllers'>): number =>
  discovery
    .getControllers()
    .filter(({ metatype }) => typeof metatype === 'function' && Reflect.hasMetadata(ENDPOINT, metatype)).length;

export function mcpHandlers(discovery: Pick<DiscoveryService, 'getControllers'>): McpHandler[] {
  // A scanner caches its results, so each call uses a new scanner.
  const scanner = new MetadataScanner();
  return discovery.getControllers().flatMap(({ metatype }) => {
    if (typeof metatype !== 'function') return [];
    const prototype = metatype.prototype as Readonly<Record<string, unknown>>;
    return scanner.getAllMethodNames(prototype).flatMap((name) => handlersOf(metatype, name, prototype[name]));
  });
}

function handlersOf(controller: { readonly name: string }, methodName: string, method: unknown): McpHandler[] {
  if (typeof method !== 'function') return [];
  const patterns = [Reflect.getMetadata(PATTERNS, method)].flat() as unknown[];
  return patterns.flatMap((pattern) => {
    const { mcp: kind, name } = Object(pattern) as Readonly<Record<string, unknown>>;
    if (typeof kind !== 'string' || typeof name !== 'string') return [];
    return [{ kind, name, label: `${controller.name}.${methodName} (MCP ${kind})`, controller, method }];
  });
}
