import { createHash } from 'node:crypto';
import { Browser, type Page } from './browser.js';
import type { Asked, Reply } from './requests.js';
import { CALLBACK } from './server.js';

export const VERIFIER = 'a-verifier-of-forty-three-characters-or-more';
const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

export type Parameters = Readonly<Record<string, string | undefined>>;

export class LoginBrowser {
  readonly #browser = new Browser();

  constructor(private readonly server: Asked) {}

  authorize(client_id: string, changes: Parameters = {}): Promise<Page> {
    return this.get(`/protocol/openid-connect/auth?${authorizationRequest(client_id, changes)}`);
  }

  fill(page: Page, username: string, password?: string): Promise<Page> {
    return this.#browser.submitLogin(page, username, password);
  }

  submit(page: Page, fields: Readonly<Record<string, string>>): Promise<Page> {
    return this.#browser.submitForm(page, fields);
  }

  async login(client_id: string, username: string, changes: Parameters = {}): Promise<Page> {
    return this.fill(await this.authorize(client_id, changes), username);
  }

  get(path: string): Promise<Page> {
    return this.#browser.send(this.server.issuer + path);
  }

  post(path: string, form: Readonly<Record<string, string>>): Promise<Page> {
    return this.#browser.send(this.server.issuer + path, { method: 'POST', form });
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

export function callbackParameters({ headers }: Reply): Record<string, string> {
  const { search, hash } = new URL(headers.get('location') ?? 'none:');
  return Object.fromEntries(new URLSearchParams(search === '' ? hash.slice(1) : search));
}

export function codeOf(reply: Reply): string {
  const { code } = callbackParameters(reply);
  if (code !== undefined) return code;
  throw new Error(
    `The answer (${reply.status}) contains no code: ${reply.headers.get('location') ?? reply.text.slice(0, 300)}`,
  );
}
