/** Call error: an error of this library, as code that knows axios' errors reads it. */
import { isAxiosError, isCancel, type AxiosResponse, type InternalAxiosRequestConfig } from 'axios';
import { Refusal, ServiceCallError } from '../index.js';

/**
 * What `ServiceHttp` throws of a call that came to nothing: an error of this library, which `axios.isAxiosError` takes for one of its
 * own. `code` is that of this library. There is no `request`, and nothing in it holds a token.
 */
export interface ServiceHttpError extends Refusal {
  readonly isAxiosError: true;
  readonly config: InternalAxiosRequestConfig;
  /** The answer, when there was one. */
  readonly response?: AxiosResponse;
}

/**
 * Adds what can be read, but no log and no inspection shows, since an answer may hold what is nobody's business. `error` is one that
 * was made for this call, and no failure of a token, which all who wait for the token share.
 */
export function withAnswer<E extends Refusal>(
  error: E,
  config: InternalAxiosRequestConfig,
  response?: AxiosResponse,
): E {
  for (const [name, value] of Object.entries({ isAxiosError: true, config, response })) {
    Object.defineProperty(error, name, { value, enumerable: false, configurable: true, writable: true });
  }
  return error;
}

/** What axios throws after the answer came, of a body that is not JSON, in our terms. Any other error as it is. */
export function toServiceError(service: string, error: unknown): unknown {
  if (error instanceof Refusal || isCancel(error) || !isAxiosError(error)) return error;
  const { response, config } = error;
  if (response === undefined || config === undefined) return error;
  const failure = new ServiceCallError('service_failed', service, 'answer_not_json', { status: response.status });
  return withAnswer(failure, config, response);
}
