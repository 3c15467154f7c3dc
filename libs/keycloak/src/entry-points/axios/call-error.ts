/** Call error: an error of this library, as code that knows axios' errors reads it. */
import { AxiosError, isAxiosError, isCancel, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { KeycloakException, ServiceCallError } from '../../index.js';

/**
 * What `ServiceHttp` throws of a call that came to nothing: an error of this library, which `axios.isAxiosError` takes for one of its
 * own. `code` is that of this library. There is no `request`, and nothing in it holds a token.
 */
export interface ServiceHttpError extends KeycloakException {
  readonly isAxiosError: true;
  readonly config: InternalAxiosRequestConfig;
  /** The answer, when there was one. */
  readonly response?: AxiosResponse;
}

/** Of a config: the error that its call came to, should axios put one of its own in that one's place. */
const failures = new WeakMap<object, KeycloakException>();

/**
 * Adds what can be read, but no log and no inspection shows, since an answer may hold what is nobody's business. `error` is one that
 * was made for this call, and no failure of a token, which all who wait for the token share.
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

/**
 * What axios throws of a body that is not JSON, in our terms: a call that failed stays that, and a success that can't be read is
 * `answer_not_json`. Any other error as it is.
 */
export function toServiceError(service: string, error: unknown): unknown {
  if (error instanceof KeycloakException || isCancel(error) || !isAxiosError(error)) return error;
  const { response, config, code } = error;
  if (config === undefined || code !== AxiosError.ERR_BAD_RESPONSE) return error;
  const before = failures.get(config);
  if (before !== undefined) return before;
  const { status } = response ?? {};
  const failure = new ServiceCallError('service_failed', service, 'answer_not_json', { status });
  // Its text may be a page of somebody in between, which repeats the request.
  return failed(failure, config, response && { ...response, data: undefined });
}
