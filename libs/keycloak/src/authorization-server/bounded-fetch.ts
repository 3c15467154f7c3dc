import type { CustomFetchOptions } from 'oauth4webapi';
import { sendRequest, HttpFailure, type HttpResponse } from '../http/send-request.js';
import type { Connections } from '../http/network.js';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import { connectionHint } from '../protocol/connection-failures.js';
import type { AuthorizationServerErrorReason } from '../protocol/refusal-reasons.js';
import { loggableText } from '../protocol/loggable-text.js';
import { isStrictJson } from './strict-json.js';

const MAX_ANSWER_BYTES = 1024 * 1024;

/** JSON is always UTF-8 (RFC 8259 §8.1), so no other `charset` is accepted. */
const JSON_CONTENT_TYPE = /^application\/json(?: *; *charset="?utf-8"?)? *$/i;

type RequestOptions = CustomFetchOptions<'GET' | 'POST', URLSearchParams | undefined>;

/**
 * Returns a `fetch` that resolves when the whole body has arrived, so the deadline covers the body. A transport error
 * becomes `authorization_server_unavailable`, because the original error may contain the request.
 */
export function boundedFetch(
  connections: Connections,
  onHeaders: (headers: HttpResponse['headers']) => void,
): (url: string, options: RequestOptions) => Promise<Response> {
  return async (url, options) => {
    const endpoint = new URL(url);
    const answer = await boundedExchange(connections, endpoint, { ...options, body: options.body?.toString() });
    const { status, headers, body } = answer;
    onHeaders(headers);
    if (status >= 200 && status < 300) {
      if (!isJson(headers['content-type'])) throw unavailable('answer_not_json', endpoint);
      if (!isStrictJson(body)) throw unavailable('answer_not_strict_json', endpoint);
    }
    const response = asResponse(answer);
    sentFor.set(response, options);
    return response;
  };
}

/** The server's answer may repeat secrets of the request, which must not be logged. */
const sentFor = new WeakMap<Response, RequestOptions>();

export function loggableDescription(response: Response, description: unknown): string | undefined {
  const sent = sentFor.get(response);
  return loggableText(description, sent === undefined ? [] : secretsOf(sent));
}

const SECRET_FIELDS = ['token', 'subject_token', 'refresh_token', 'code', 'client_secret', 'client_assertion'];

function secretsOf({ headers, body }: RequestOptions): readonly string[] {
  const form = body instanceof URLSearchParams ? SECRET_FIELDS.map((name) => body.get(name) ?? '') : [];
  const credentials = (headers['authorization'] ?? '').replace(/^Basic /, '');
  const [, secret = ''] = Buffer.from(credentials, 'base64').toString('latin1').split(':');
  return [...form, credentials, secret, decodeURIComponent(secret.replaceAll('+', ' '))].filter((text) => text !== '');
}

export interface BoundedRequest {
  readonly method: 'GET' | 'POST';
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * @throws {AuthorizationServerError} `authorization_server_unavailable` if there is no answer.
 * @throws {TypeError} If the request can't be sent.
 */
export async function boundedExchange(
  connections: Connections,
  endpoint: URL,
  { method, headers, body, signal }: BoundedRequest,
): Promise<HttpResponse> {
  const { origin, pathname, search } = endpoint;
  try {
    return await sendRequest(connections, {
      origin,
      method,
      path: pathname + search,
      headers: Object.entries(headers).flat(),
      body,
      timeoutMs: undefined,
      maxResponseBytes: MAX_ANSWER_BYTES,
      signal,
    });
  } catch (error) {
    if (error instanceof AuthorizationServerError || error instanceof TypeError) throw error;
    if (error instanceof HttpFailure) throw unavailable(error.reason, endpoint, error.detail);
    throw unavailable('connection_failed', endpoint);
  }
}

export const isJson = (contentType: string | undefined): boolean => JSON_CONTENT_TYPE.test(contentType ?? '');

/** Throws if a `Response` can't represent the answer, for example a 205 with a body. */
export function asResponse({ status, headers, body }: HttpResponse): Response {
  return new Response(body.length === 0 ? null : new Uint8Array(body), { status, headers });
}

function unavailable(reason: AuthorizationServerErrorReason, endpoint: URL, detail?: string): AuthorizationServerError {
  const error = new AuthorizationServerError('authorization_server_unavailable', { reason, detail });
  return error.add({ endpoint: addressOf(endpoint), ...connectionHint(reason) });
}

export const addressOf = ({ origin, pathname }: URL): string => origin + pathname;
