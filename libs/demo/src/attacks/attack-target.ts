/** AttackTarget: a running service as an attacker sees it, who shows it whatever token is at hand. */
import { ask } from './attack-request.js';
import type { AttackAnswer } from './attempt.js';

/** Any token that is good for a service opens this: what is refused here is refused for the token's sake alone. */
const WHOAMI = '/api/whoami';

export class AttackTarget {
  /** `name`: as a sentence begins, such as `Service B`. `baseUrl` is asked for each time. */
  constructor(
    private readonly name: string,
    private readonly baseUrl: () => string,
  ) {}

  /** In the header where a token belongs; with none when there is none. */
  whoami(token: string | undefined): Promise<AttackAnswer> {
    return this.get(WHOAMI, token);
  }

  /** In the query, where a token ends up in logs and histories. */
  whoamiByQuery(token: string): Promise<AttackAnswer> {
    return this.#ask(`${WHOAMI}?${new URLSearchParams({ access_token: token }).toString()}`, {}, token);
  }

  get(path: string, token: string | undefined): Promise<AttackAnswer> {
    return this.#ask(path, token === undefined ? {} : { authorization: `Bearer ${token}` }, token);
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
