export const ERAS = ['2025-11-25', '2026-07-28'] as const;
export type Era = (typeof ERAS)[number];

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** The JSON-RPC answer, or the body of a refusal. */
  readonly body: Readonly<Record<string, unknown>>;
}

export type Params = Readonly<Record<string, unknown>>;

export interface Sent {
  readonly token?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

export const toolCall = (name: string, args: Params = {}): readonly [string, Params] => [
  'tools/call',
  { name, arguments: args },
];

const META = '_meta';

export function messageOf(era: Era, method: string, params: Params): object {
  const envelope = {
    'io.modelcontextprotocol/protocolVersion': era,
    'io.modelcontextprotocol/clientInfo': { name: 'spec', version: '1' },
    'io.modelcontextprotocol/clientCapabilities': {},
  };
  return { jsonrpc: '2.0', id: 1, method, params: era === '2025-11-25' ? params : { ...params, [META]: envelope } };
}

export function headersOf(era: Era, method: string, { name, uri }: Params): Record<string, string> {
  const called = name ?? uri;
  const modern = { 'mcp-method': method, ...(called === undefined ? {} : { 'mcp-name': String(called) }) };
  return {
    accept: 'application/json, text/event-stream',
    'content-type': 'application/json',
    'mcp-protocol-version': era,
    ...(era === '2025-11-25' ? {} : modern),
  };
}

export function ask(
  url: string,
  era: Era,
  [method, params]: readonly [string, Params],
  sent: Sent = {},
): Promise<Answer> {
  return send(url, messageOf(era, method, params), {
    ...sent,
    headers: { ...headersOf(era, method, params), ...sent.headers },
  });
}

export async function send(url: string, message: unknown, { token, headers }: Sent): Promise<Answer> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { ...headers, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: JSON.stringify(message),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: bodyOf(response, text) };
}

function bodyOf({ headers }: Response, text: string): Answer['body'] {
  const isStream = headers.get('content-type')?.startsWith('text/event-stream') === true;
  const json = isStream ? /^data: (\{.*)$/m.exec(text)?.[1] : text;
  return (json === undefined || json === '' ? {} : JSON.parse(json)) as Answer['body'];
}

export function textOf({ body }: Answer): string {
  const { content } = Object(body['result']) as { readonly content?: readonly { readonly text?: string }[] };
  return content?.[0]?.text ?? '';
}

export const isToolError = ({ body }: Answer): boolean =>
  (Object(body['result']) as { readonly isError?: boolean }).isError === true;
