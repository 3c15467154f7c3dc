import { ask, bearer } from './attack-request.js';
import type { AttackAnswer } from './attempt.js';

/** This route accepts every valid token, so a refusal means that the token is invalid. */
const WHOAMI = '/api/whoami';

export class AttackTarget {
  constructor(
    private readonly name: string,
    private readonly baseUrl: () => string,
  ) {}

  whoami(token: string | undefined): Promise<AttackAnswer> {
    return this.get(WHOAMI, token);
  }

  /** An attacker can find a token in the query of a URL, because logs and browser histories contain URLs. */
  whoamiByQuery(token: string): Promise<AttackAnswer> {
    return this.#ask(`${WHOAMI}?${new URLSearchParams({ access_token: token }).toString()}`, {}, token);
  }

  get(path: string, token: string | undefined): Promise<AttackAnswer> {
    return this.#ask(path, token === undefined ? {} : bearer(token), token);
  }

  async #ask(
    path: string,
    headers: Readonly<Record<string, string>>,
    token: string | undefined,
  ): Promise<AttackAnswer> {
    const secrets = token === undefined ? [] : [token];
    return ask({ who: this.name, url: this.baseUrl() + path, headers, secrets });
  }
}
