/** Refused config: the options of axios that would send a token elsewhere, or say in another way who calls. */
import type { AxiosRequestConfig } from 'axios';

const REFUSED = [
  'allowedSocketPaths',
  'auth',
  'beforeRedirect',
  'family',
  'fetchOptions',
  'http2Options',
  'httpAgent',
  'httpsAgent',
  'httpVersion',
  'insecureHTTPParser',
  'lookup',
  'maxRate',
  'socketPath',
  'transport',
] as const satisfies readonly (keyof AxiosRequestConfig)[];

/** Options that have no place at a service; `proxy` and `maxRedirects` may be given as `false` and 0. */
export type RefusedConfig = (typeof REFUSED)[number] | 'proxy' | 'maxRedirects';

/**
 * Throws `TypeError` for an option that can't be heeded. Silently left out, it would have its author believe in what is not so.
 */
export function checkConfig(service: string, config: AxiosRequestConfig): void {
  const found = REFUSED.filter((name) => config[name] !== undefined && config[name] !== null) as string[];
  if (config.proxy) found.push('proxy');
  if (config.maxRedirects) found.push('maxRedirects');
  if (found.length === 0) return;
  throw new TypeError(`${service}: calls with a token of this service can't have ${found.join(', ')}`);
}
