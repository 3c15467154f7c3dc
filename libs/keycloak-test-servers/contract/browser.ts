/** A browser of the contract: it keeps cookies, fills the login form that it is shown, and follows no redirect. */
import { createHash } from 'node:crypto';
import { request, type Asked, type Form, type Reply } from './requests.js';
import { CALLBACK } from './server.js';

export const VERIFIER = 'a-verifier-of-forty-three-characters-or-more';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

/** `undefined` leaves a parameter out. */
export type Parameters = Readonly<Record<string, string | undefined>>;

export class Browser {
  readonly #cookies = new Map<string, string>();

  constructor(private readonly server: Asked) {}

  /** A good authorization request of this client, but for `changes`. */
  authorize(client_id: string, changes: Parameters = {}): Promise<Reply> {
    return this.get(`/protocol/openid-connect/auth?${authorizationRequest(client_id, changes)}`);
  }

  /** The form that stands in this page. A password equals the name. */
  fill(page: Reply, username: string, password = username): Promise<Reply> {
    return this.submit(page, { username, password });
  }

  /** Its hidden fields, and these. */
  submit(page: Reply, fields: Readonly<Record<string, string>>): Promise<Reply> {
    const action = /<form[^>]* action="([^"]*)"/.exec(page.text)?.[1];
    if (action === undefined) throw new Error(`No form in an answer ${page.status}: ${page.text.slice(0, 300)}`);
    const hidden = [...page.text.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)];
    const form = { ...Object.fromEntries(hidden.map(([, name, value]) => [name, value])), ...fields };
    const { pathname, search } = new URL(action.replaceAll('&amp;', '&'), this.server.issuer);
    return this.send(pathname.slice(new URL(this.server.issuer).pathname.length) + search, form);
  }

  async login(client_id: string, username: string, changes: Parameters = {}): Promise<Reply> {
    return this.fill(await this.authorize(client_id, changes), username);
  }

  get(path: string): Promise<Reply> {
    return this.#exchange(path, {});
  }

  send(path: string, form: Form): Promise<Reply> {
    return this.#exchange(path, { method: 'POST', body: new URLSearchParams(form as Record<string, string>) });
  }

  async #exchange(path: string, init: RequestInit): Promise<Reply> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const reply = await request(this.server, path, { ...init, headers: { cookie } });
    for (const line of reply.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/; *Max-Age=0/i.test(line)) this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
    return reply;
  }
}

export function authorizationRequest(client_id: string, changes: Parameters = {}): URLSearchParams {
  const parameters: Parameters = {
    client_id,
    response_type: 'code',
    redirect_uri: CALLBACK,
    scope: 'openid orders.read',
    state: 'the-state',
    nonce: 'the-nonce',
    code_challenge: CHALLENGE,
    code_challenge_method: 'S256',
    ...changes,
  };
  const given = Object.entries(parameters).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]]));
  return new URLSearchParams(given as [string, string][]);
}

/** The parameters of the way back to the client, in the query or in the fragment. */
export function callbackParameters({ headers }: Reply): Record<string, string> {
  const { search, hash } = new URL(headers.get('location') ?? 'none:');
  return Object.fromEntries(new URLSearchParams(search === '' ? hash.slice(1) : search));
}

export function codeOf(reply: Reply): string {
  const { code } = callbackParameters(reply);
  if (code !== undefined) return code;
  throw new Error(`No code in an answer ${reply.status}: ${reply.headers.get('location') ?? reply.text.slice(0, 300)}`);
}
