import type { Answer } from './verdicts.js';

const HANGS_AFTER_MS = 15_000;

const CODES =
  /\b(?:authorization_server_(?:unavailable|refused)|service_(?:unavailable|failed|timeout|refused)|missing_token|invalid_token)\b/;
const SENTENCES: Readonly<Record<string, string>> = {
  'Sessions are not available at the moment': 'sessions_unavailable',
  // The start page shows this sentence if Keycloak does not answer the session check.
  "Your login can't be checked": 'authorization_server_unavailable',
};
const OF_BALANCER = /^<html><body><h1>/;
const NAMED = /(?:Logged in as|Called as) <strong>([^<]*)<\/strong>/;

export interface Sent {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly page?: boolean;
}

export async function ask({ url, headers = {}, page = false }: Sent): Promise<Answer> {
  const { pathname: path } = new URL(url);
  const startedMs = performance.now();
  const without = (code: string): Answer => ({
    path,
    status: 0,
    code,
    user: undefined,
    clearsCookie: false,
    startedMs,
    endedMs: performance.now(),
  });
  try {
    const response = await fetch(url, {
      headers: { accept: page ? 'text/html' : 'application/json', ...headers },
      redirect: 'manual',
      signal: AbortSignal.timeout(HANGS_AFTER_MS),
    });
    const { status } = response;
    const body = await response.text();
    const clearsCookie = response.headers.getSetCookie().some((line) => line.startsWith('session=;'));
    const code = status < 400 ? undefined : codeIn(body);
    return { ...without(''), status, code, user: userIn(body), clearsCookie, endedMs: performance.now() };
  } catch (error) {
    return without((error as Error).name === 'TimeoutError' ? 'hangs' : 'no answer');
  }
}

function codeIn(body: string): string {
  const json = jsonIn(body);
  if (json !== undefined) return typeof json['code'] === 'string' ? json['code'] : 'no code';
  if (OF_BALANCER.test(body)) return 'balancer';
  const [, said] = Object.entries(SENTENCES).find(([sentence]) => body.includes(sentence)) ?? [];
  return said ?? CODES.exec(body)?.[0] ?? 'page';
}

function userIn(body: string): string | undefined {
  const username = jsonIn(body)?.['username'];
  return typeof username === 'string' ? username : NAMED.exec(body)?.[1];
}

function jsonIn(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    return JSON.parse(body) as Record<string, unknown>;
  } catch {
    return undefined;
  }
}
