/** Attack request: one request as an attacker with plain tools sends it, bounded in time and size; and what to tell of the answer. */
import { AttackNotRun, type AttackAnswer } from './attempt.js';

export interface AttackRequest {
  /** Who is asked, as a sentence about a failure begins. */
  readonly who: string;
  readonly url: string;
  readonly method?: 'GET' | 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as a form. */
  readonly form?: Readonly<Record<string, string>>;
  /** Texts of which no piece may stand in what is told. */
  readonly secrets?: readonly string[];
}

export interface RawAnswer {
  readonly status: number;
  readonly members: Readonly<Record<string, unknown>>;
}

const DEADLINE_MS = 3000;
const MAX_ANSWER_BYTES = 64 * 1024;

/**
 * Any status is an answer. No redirect is followed. Throws `AttackNotRun` when there is no whole answer in time; nothing of
 * the request is in that.
 */
export async function send({ who, url, method = 'GET', headers = {}, form }: AttackRequest): Promise<RawAnswer> {
  try {
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { accept: 'application/json', ...headers },
      signal: AbortSignal.timeout(DEADLINE_MS),
      ...(form === undefined ? {} : { body: new URLSearchParams(form) }),
    });
    return { status: response.status, members: membersOf(await boundedText(response)) };
  } catch (error) {
    const timedOut = error instanceof DOMException && error.name === 'TimeoutError';
    throw new AttackNotRun(timedOut ? `${who} did not answer in time.` : `${who} could not be reached.`);
  }
}

/** What may be told of an answer: the codes of a service or, of Keycloak, those of OAuth. */
export function told({ status, members }: RawAnswer, secrets: readonly string[] = []): AttackAnswer {
  const name = (field: string, ...sources: readonly string[]): object => {
    const value = sources.map((source) => members[source]).find((found) => typeof found === 'string');
    return typeof value === 'string' && isTellable(value, secrets) ? { [field]: value } : {};
  };
  return {
    status,
    ...name('code', 'code', 'error'),
    ...name('reason', 'reason', 'error_description'),
    ...name('permission', 'permission'),
  };
}

export const ask = async (request: AttackRequest): Promise<AttackAnswer> => told(await send(request), request.secrets);

/** From this length on, what also stands in a token does not stand there by chance. */
const PIECE_OF_SECRET = 12;

const isTellable = (value: string, secrets: readonly string[]): boolean =>
  /^[\w.:/ ',()-]{1,120}$/.test(value) &&
  !secrets.some((secret) => value.includes(secret) || (value.length >= PIECE_OF_SECRET && secret.includes(value)));

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
