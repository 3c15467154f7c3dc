import type { ResolvedEndpointOptions } from './endpoint-options.js';

const LOCAL_HOSTS = ['localhost', '127.0.0.1', '[::1]'];

/** Fetch standard, 3.2: a browser serializes an origin in one way, so the texts are compared. */
export function allowsOrigin(
  { allowedOrigins }: Pick<ResolvedEndpointOptions, 'allowedOrigins'>,
  origin: unknown,
): boolean {
  if (origin === undefined || allowedOrigins === 'checked elsewhere') return true;
  if (typeof origin !== 'string') return false;
  if (allowedOrigins !== undefined) return allowedOrigins.includes(origin);
  return URL.canParse(origin) && LOCAL_HOSTS.includes(new URL(origin).hostname);
}
