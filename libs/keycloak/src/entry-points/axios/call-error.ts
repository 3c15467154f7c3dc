import { AxiosError, isAxiosError, isCancel, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { KeycloakException, ServiceCallError } from '../../index.js';

/** An error that `axios.isAxiosError` accepts, with a `code` of this library. No member contains a token. */
export interface ServiceHttpError extends KeycloakException {
  readonly isAxiosError: true;
  readonly config: InternalAxiosRequestConfig;
  readonly response?: AxiosResponse;
}

/** Keeps the original error of each call, because axios replaces that error if the response can't be parsed. */
const failures = new WeakMap<object, KeycloakException>();

/**
 * Adds the members of an `AxiosError` as non-enumerable properties, so that logs do not show the response. `error` must
 * not be the error of a token request, because all waiting calls share that error.
 */
export function failed<E extends KeycloakException>(
  error: E,
  config: InternalAxiosRequestConfig,
  response?: AxiosResponse,
): E {
  const toJSON = (): object => ({ ...error, name: error.name, message: error.message });
  for (const [name, value] of Object.entries({ isAxiosError: true, config, response, toJSON })) {
    Object.defineProperty(error, name, { value, enumerable: false, configurable: true, writable: true });
  }
  failures.set(config, error);
  return error;
}

export function toServiceError(service: string, error: unknown): unknown {
  if (error instanceof KeycloakException || isCancel(error) || !isAxiosError(error)) return error;
  const { response, config, code } = error;
  if (config === undefined || code !== AxiosError.ERR_BAD_RESPONSE) return error;
  const before = failures.get(config);
  if (before !== undefined) return before;
  const { status } = response ?? {};
  const failure = new ServiceCallError('service_failed', service, 'answer_not_json', { status });
  // The body is dropped: a proxy's error page may quote the token.
  return failed(failure, config, response && { ...response, data: undefined });
}
