import { setTimeout as sleep } from 'node:timers/promises';
import { AuthorizationServerError } from '../protocol/authorization-server-error.js';
import type {
  ClientAuthenticationContext,
  ClientCredential,
  ConnectedClientAuthentication,
} from './client-authentication.js';

export interface CredentialSource {
  readonly read: () => Promise<string>;
  readonly parse: (text: string) => ClientCredential | Promise<ClientCredential>;
  readonly refreshMs: number;
  readonly timeoutMs: number;
}

interface Read {
  readonly text: string;
  readonly credential: ClientCredential;
}

/** The maximum delay with which a new secret appears in the file or vault after its change at the server. */
const REPLACED_WITHIN_MS = 500;
const LOOK_EVERY_MS = 50;

/** The minimum time between two reads of a credential that the server refuses, so that refusals cause few reads. */
const LOOK_AGAIN_MS = 1000;

const WITH_THE_LAST = 'Requests to Keycloak use the last one.';
const WITHOUT_ANY = 'Requests to Keycloak fail until the credential can be read.';

export class RenewableCredential implements ConnectedClientAuthentication {
  readonly #source: CredentialSource;
  readonly #context: ClientAuthenticationContext;
  #last: Read | undefined;
  #readAtMs = -Infinity;
  #reading: Promise<Read | undefined> | undefined;
  #replacing: Promise<boolean> | undefined;
  #kept: { readonly text: string; readonly atMs: number } | undefined;
  #isFailing = false;

  constructor(source: CredentialSource, context: ClientAuthenticationContext) {
    this.#source = source;
    this.#context = context;
  }

  async credential(): Promise<ClientCredential> {
    const isRecent = this.#context.clock.monotonicMs() - this.#readAtMs < this.#source.refreshMs;
    return (this.#last !== undefined && isRecent ? this.#last : await this.#read()).credential;
  }

  async isReplaced(refused: ClientCredential): Promise<boolean> {
    if (this.#last?.credential !== refused) return true;
    return (this.#replacing ??= this.#untilReplaced(this.#last).finally(() => (this.#replacing = undefined)));
  }

  async #untilReplaced({ text }: Read): Promise<boolean> {
    const { clock } = this.#context;
    const sinceMs = clock.monotonicMs();
    const isKept = this.#kept?.text === text;
    if (isKept && sinceMs - (this.#kept?.atMs ?? 0) < LOOK_AGAIN_MS) return false;
    for (;;) {
      const read = await this.#read().catch(() => undefined);
      if (read !== undefined && read.text !== text) return true;
      if (isKept || clock.monotonicMs() - sinceMs >= REPLACED_WITHIN_MS) break;
      await sleep(LOOK_EVERY_MS);
    }
    this.#kept = { text, atMs: clock.monotonicMs() };
    return false;
  }

  /** Concurrent callers share one read, but get separate errors, because each caller adds fields to its error. */
  async #read(): Promise<Read> {
    const read = await (this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined)));
    if (read !== undefined) return read;
    throw new AuthorizationServerError('authorization_server_unavailable', { reason: 'client_credential_unreadable' });
  }

  async #readOnce(): Promise<Read | undefined> {
    const { log, clock } = this.#context;
    const before = this.#last;
    try {
      const text = await withinMs(this.#source.timeoutMs, this.#source.read());
      // `isReplaced` compares objects by identity, so an unchanged file must give the same object.
      const read =
        before !== undefined && text === before.text ? before : { text, credential: await this.#source.parse(text) };
      if (before !== undefined && read !== before)
        log.log('The client credential was replaced. Requests to Keycloak use the new one.', {});
      this.#last = read;
      this.#isFailing = false;
    } catch (error) {
      const reason = reasonOf(error);
      if (!this.#isFailing)
        log.error(`The client credential can't be read. ${before === undefined ? WITHOUT_ANY : WITH_THE_LAST}`, {
          reason,
        });
      this.#isFailing = true;
    }
    this.#readAtMs = clock.monotonicMs();
    return this.#last;
  }
}

async function withinMs<T>(ms: number, value: Promise<T>): Promise<T> {
  const waiting = new AbortController();
  const late = sleep(ms, undefined, { signal: waiting.signal, ref: false }).then(() =>
    Promise.reject(new Error('timeout')),
  );
  try {
    return await Promise.race([value, late]);
  } finally {
    waiting.abort();
    late.catch(() => undefined);
  }
}

/** Returns only a code or a fixed word, because error messages may quote the credential. */
function reasonOf(error: unknown): string {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown };
  if (typeof code === 'string') return code;
  return message === 'timeout' ? 'timeout' : 'malformed';
}
