import { STATUS_CODES, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { securityHeaders } from './security-headers.js';

interface Unreadable {
  readonly status: number;
  readonly body: { readonly error: string; readonly code: string };
}

const MALFORMED: Unreadable = { status: 400, body: { error: 'Malformed request', code: 'malformed_request' } };

/** An error code that is missing in this list means that the bytes are not HTTP. */
const BY_ERROR: Readonly<Record<string, Unreadable>> = {
  ERR_HTTP_REQUEST_TIMEOUT: {
    status: 408,
    body: { error: 'The request did not arrive in time', code: 'request_timeout' },
  },
  HPE_HEADER_OVERFLOW: { status: 431, body: { error: 'Header fields too large', code: 'headers_too_large' } },
};

/**
 * `no_host`: an HTTP/1.1 request must have exactly one `Host` (RFC 9112 §3.2). `no_target`: only OPTIONS may have the
 * target `*` (§3.2.4). `expectation`: the `Expect` is unsupported (RFC 9110 §10.1.1).
 */
const BY_FAULT = {
  no_host: MALFORMED,
  no_target: MALFORMED,
  expectation: { status: 417, body: { error: 'Expectation failed', code: 'expectation_failed' } },
} satisfies Record<string, Unreadable>;

export type UnreadableFault = keyof typeof BY_FAULT;

const HEADERS = { ...securityHeaders(), 'content-type': 'application/json; charset=utf-8', connection: 'close' };

/** Answers only if the client can match the answer to its request, and never echoes the request. */
export function answerUnreadable(error: NodeJS.ErrnoException, socket: Socket, canAnswer: boolean): void {
  if (canAnswer && socket.writable && error.code !== 'ECONNRESET') {
    socket.write(message(BY_ERROR[error.code ?? ''] ?? MALFORMED));
  }
  socket.destroy();
}

export function refuseUnreadable(response: ServerResponse, fault: UnreadableFault): void {
  const { status, headers, content } = answer(BY_FAULT[fault]);
  response.writeHead(status, headers).end(content);
}

function message(unreadable: Unreadable): string {
  const { status, headers, content } = answer(unreadable);
  const lines = Object.entries({ ...headers, date: new Date().toUTCString() }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${content}`;
}

function answer({ status, body }: Unreadable) {
  const content = JSON.stringify(body);
  return { status, headers: { ...HEADERS, 'content-length': Buffer.byteLength(content) }, content };
}
