import type { IncomingMessage } from 'node:http';

const MAX_BODY_BYTES = 1_000_000;

export interface HttpCall {
  readonly method: string;
  readonly url: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly contentType: string;
  readonly body: string;
  readonly form: URLSearchParams;
  readonly cookies: ReadonlyMap<string, string>;
  readonly authorization: string | undefined;
  readonly origin: string;
  readonly remoteAddress: string;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export function json(status: number, members: object, headers: Readonly<Record<string, string>> = {}): HttpAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(members) };
}

export async function readCall(request: IncomingMessage): Promise<HttpCall> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) throw new Error(`The request body exceeds ${MAX_BODY_BYTES} bytes`);
    chunks.push(chunk);
  }
  const { headers, method = 'GET', url = '/', socket } = request;
  const [path = '/', ...query] = url.split('?');
  const contentType = headers['content-type'] ?? '';
  const body = Buffer.concat(chunks).toString();
  const isForm = contentType.startsWith('application/x-www-form-urlencoded');
  return {
    method,
    url,
    path,
    query: new URLSearchParams(query.join('?')),
    contentType,
    body,
    form: new URLSearchParams(isForm ? body : ''),
    cookies: cookiesOf(headers.cookie),
    authorization: headers.authorization,
    origin: `http://${headers.host ?? 'localhost'}`,
    remoteAddress: socket.remoteAddress ?? '',
  };
}

function cookiesOf(header = ''): ReadonlyMap<string, string> {
  const pairs = header.split('; ').map((pair) => /^([^=]+)=(.*)$/.exec(pair));
  return new Map(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1] ?? '', pair[2] ?? '']])));
}

export const parameter = ({ form }: HttpCall, name: string): string | undefined => form.get(name) ?? undefined;

/** RFC 6750 §2.1. */
export const bearerToken = ({ authorization }: HttpCall): string | undefined =>
  /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
