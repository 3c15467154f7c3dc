import { AttackNotRun, type AttackAnswer } from './attempt.js';

export interface AttackRequest {
  readonly who: string;
  readonly url: string;
  readonly method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly headers?: Readonly<Record<string, string>>;
  /** The fields of a URL-encoded form, which takes precedence over `json`. */
  readonly form?: Readonly<Record<string, string>>;
  readonly json?: object;
  /** The result of the attack must not contain any part of these secrets. */
  readonly secrets?: readonly string[];
  readonly deadlineMs?: number | undefined;
}

export interface RawAnswer {
  readonly status: number;
  readonly members: Readonly<Record<string, unknown>>;
  readonly location?: string | undefined;
}

const DEADLINE_MS = 3000;
const MAX_ANSWER_BYTES = 64 * 1024;

/** Throws `AttackNotRun` if no complete answer arrives in time; the message contains no part of the request. */
export async function send(request: AttackRequest): Promise<RawAnswer> {
  const { who, url, method = 'GET', headers = {}, form, json, deadlineMs = DEADLINE_MS } = request;
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      signal: AbortSignal.timeout(deadlineMs),
      ...withBody({ accept: 'application/json', ...headers }, form, json),
    });
    const location = response.headers.get('location') ?? undefined;
    return { status: response.status, members: membersOf(await boundedText(response)), location };
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
    throw new AttackNotRun(timedOut ? `${who} did not answer in time.` : `${who} could not be reached.`);
  }
}

export const bearer = (token: string): Readonly<Record<string, string>> => ({ authorization: `Bearer ${token}` });

/** Returns only the fields that are safe to show: the codes of a service, or the OAuth error of Keycloak. */
export function shownAnswer({ status, members }: RawAnswer, secrets: readonly string[] = []): AttackAnswer {
  const name = (field: string, ...sources: readonly string[]): object => {
    const value = sources.map((source) => members[source]).find((found) => typeof found === 'string');
    return typeof value === 'string' && isSafeToShow(value, secrets) ? { [field]: value } : {};
  };
  return {
    status,
    ...name('code', 'code', 'error'),
    ...name('reason', 'reason', 'error_description'),
    ...name('permission', 'permission'),
  };
}

export const ask = async (request: AttackRequest): Promise<AttackAnswer> =>
  shownAnswer(await send(request), request.secrets);

function withBody(
  headers: Readonly<Record<string, string>>,
  form: AttackRequest['form'],
  json: object | undefined,
): Pick<RequestInit, 'headers' | 'body'> {
  if (form !== undefined) return { headers, body: new URLSearchParams(form) };
  if (json === undefined) return { headers };
  return { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(json) };
}

/** A text that is shorter than this minimum could occur in a token by chance. */
const MIN_PART_LENGTH = 12;

const isSafeToShow = (value: string, secrets: readonly string[]): boolean =>
  /^[\w.:/ ',()-]{1,120}$/.test(value) &&
  !secrets.some((secret) => value.includes(secret) || (value.length >= MIN_PART_LENGTH && secret.includes(value)));

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new RangeError('The answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

function membersOf(text: string): RawAnswer['members'] {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as RawAnswer['members']) : {};
  } catch {
    return {};
  }
}
