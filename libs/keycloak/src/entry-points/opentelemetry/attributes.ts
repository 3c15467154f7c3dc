import type { Attributes } from '@opentelemetry/api';
import type { ServiceCallMessage } from '../diagnostics/index.js';

// These attribute names are stable since version 1.23 of the OpenTelemetry semantic conventions.
export const METHOD = 'http.request.method';
export const STATUS = 'http.response.status_code';
export const ERROR_TYPE = 'error.type';
const SERVER_ADDRESS = 'server.address';
const SERVER_PORT = 'server.port';

export const OUTCOME = 'keycloak_s2s.outcome';
export const ACTIVE = 'keycloak_s2s.active';
export const VALID = 'keycloak_s2s.valid';
export const GRANT = 'keycloak_s2s.grant';
export const AUDIENCE = 'keycloak_s2s.audience';
export const SCOPE = 'keycloak_s2s.scope';
export const SERVICE = 'keycloak_s2s.service';
export const CODE = 'keycloak_s2s.code';
export const REASON = 'keycloak_s2s.reason';
export const CACHE = 'keycloak_s2s.cache';
export const CALLED = 'keycloak_s2s.called';
export const CALLS = 'keycloak_s2s.calls';
export const ISSUER = 'keycloak_s2s.issuer';
export const STATE = 'keycloak_s2s.state';
export const ROUTE = 'keycloak_s2s.route';
export const CLIENT = 'keycloak_s2s.client';
export const ACTOR = 'keycloak_s2s.actor';

export function serverOf(url: string): Attributes {
  const { hostname, port, protocol } = new URL(url);
  return { [SERVER_ADDRESS]: hostname, [SERVER_PORT]: port === '' ? DEFAULT_PORTS[protocol] : Number(port) };
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/** Drops attributes without a value, since each attribute would create another time series. */
export function known(attributes: Attributes): Attributes {
  return Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== undefined && value !== ''));
}

class Level {
  readonly next = new Map<unknown, Level>();
  attributes: Attributes | undefined;
}

/**
 * Builds frozen attributes once for each list of values. The values must come from a closed set, since the attributes
 * stay in memory. Looks up one value after another, since a joined key would be a new text at each call (perf:
 * production).
 */
export function builtOnce<T>(
  valuesOf: (from: T) => readonly unknown[],
  build: (from: T) => Attributes,
): (from: T) => Attributes {
  const top = new Level();
  return (from) => {
    let level = top;
    for (const value of valuesOf(from)) {
      const kept = level.next.get(value);
      const next = kept ?? new Level();
      if (kept === undefined) level.next.set(value, next);
      level = next;
    }
    return (level.attributes ??= Object.freeze(build(from)));
  };
}

export function errorTypeOf({ status, failed, reason }: ServiceCallMessage): string | undefined {
  if (failed !== undefined) return reason ?? failed;
  return status !== undefined && status >= 400 ? String(status) : undefined;
}

/** Attributes contain no subject, so an actor without a client id has no name. */
export const actorName = ({ clientId = '(no client)' }: { readonly clientId?: string }): string => clientId;

export const grantName = (grant: string): string => grant.replace(/^.*:/, '').replace('-', '_');
