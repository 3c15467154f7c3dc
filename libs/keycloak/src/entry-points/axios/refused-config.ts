/** Refused config: axios options that would redirect a token or replace the caller's identity. */
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

export type RefusedConfig = (typeof REFUSED)[number] | 'proxy' | 'maxRedirects';

/** Throws `TypeError` for an unsupported option, because an ignored option would hide the mistake. */
export function checkConfig(service: string, config: AxiosRequestConfig): void {
  const found = REFUSED.filter((name) => config[name] !== undefined && config[name] !== null) as string[];
  if (config.proxy) found.push('proxy');
  if (config.maxRedirects) found.push('maxRedirects');
  if (found.length === 0) return;
  throw new TypeError(`${service}: calls with a token of this service can't have ${found.join(', ')}`);
}
