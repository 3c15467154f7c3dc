import { isStrictJson, type AuthorizationServerFetch, type Clock, type IssuedToken } from '../../ports/signals.js';
import { SignalSourceError, type SignalSourceContext } from '../signal-source.js';

export interface Answer {
  readonly status: number;
  readonly body: unknown;
}

const USED_LIFE = 0.8;

interface HeldToken {
  readonly issued: IssuedToken;
  readonly renewAtMs: number;
}

export class TransmitterClient {
  readonly #fetch: AuthorizationServerFetch['fetch'];
  readonly #login: SignalSourceContext['login'];
  readonly #clock: Clock;
  #held: HeldToken | undefined;

  constructor(
    { fetch, login, clock }: Pick<SignalSourceContext, 'fetch' | 'login' | 'clock'>,
    private readonly scope: string,
  ) {
    this.#fetch = fetch;
    this.#login = login;
    this.#clock = clock;
  }

  /** Requests a published document, and sends no token. */
  async published(url: string): Promise<Answer> {
    return this.#ask(url, { headers: { accept: 'application/json' } });
  }

  async get(url: string): Promise<Answer> {
    return this.#send(url, 'GET', undefined);
  }

  async post(url: string, body: object): Promise<Answer> {
    return this.#send(url, 'POST', JSON.stringify(body));
  }

  async #send(url: string, method: string, body: string | undefined): Promise<Answer> {
    const ask = async ({ issued }: HeldToken): Promise<Answer> => {
      const headers = { authorization: `Bearer ${issued.reveal()}`, accept: 'application/json' };
      const type = { 'content-type': 'application/json' };
      return this.#ask(url, { method, headers: body === undefined ? headers : { ...headers, ...type }, body });
    };
    const held = this.#usable();
    const first = await ask(held ?? (await this.#logIn()));
    if (!isRefusal(first)) return first;
    this.#held = undefined;
    if (held === undefined) throw forbidden(first);
    const second = await ask(await this.#logIn());
    if (!isRefusal(second)) return second;
    this.#held = undefined;
    throw forbidden(second);
  }

  #usable(): HeldToken | undefined {
    return this.#held !== undefined && this.#clock.monotonicMs() < this.#held.renewAtMs ? this.#held : undefined;
  }

  async #logIn(): Promise<HeldToken> {
    const beganMs = this.#clock.monotonicMs();
    const issued = await this.#login(this.scope);
    const { lifetimeSeconds } = issued;
    const renewAtMs = lifetimeSeconds > 0 ? beganMs + lifetimeSeconds * 1000 * USED_LIFE : Infinity;
    this.#held = { issued, renewAtMs };
    return this.#held;
  }

  async #ask(url: string, init: Parameters<AuthorizationServerFetch['fetch']>[1]): Promise<Answer> {
    const response = await this.#fetch(url, init);
    const bytes = new Uint8Array(await response.arrayBuffer());
    const body: unknown = isStrictJson(bytes) ? JSON.parse(new TextDecoder().decode(bytes)) : undefined;
    return { status: response.status, body };
  }
}

const isRefusal = ({ status }: Answer): boolean => status === 401 || status === 403;

const forbidden = ({ status }: Answer): SignalSourceError =>
  new SignalSourceError(
    'forbidden',
    `The transmitter answers ${status}. Give this client the attribute ssf.enabled, and the optional client scopes ssf.read and ssf.manage.`,
  );
