import { claimsOf } from './demo-realm.js';
import { introspect, textOf, type Caller, type Reply } from './requests.js';
import type { ContractServer } from './server.js';

/** `later` is 0 for the first `auth_time` of a test case, and 1 for a later `auth_time`. */
export type SeenLogin = readonly [acr: unknown, later: number | undefined];

export class SeenLogins {
  #first: number | undefined;

  in({ acr, auth_time: at }: Readonly<Record<string, unknown>>): SeenLogin {
    if (typeof at !== 'number') return [acr, undefined];
    this.#first ??= at;
    return [acr, Number(at > this.#first)];
  }

  inAccessToken(reply: Reply): SeenLogin {
    return this.in(claimsOf(textOf(reply)));
  }

  inIdToken(reply: Reply): SeenLogin {
    return this.in(claimsOf(textOf(reply, 'id_token')));
  }

  async byIntrospection(server: ContractServer, text: string, caller: Caller = 'service-a'): Promise<SeenLogin> {
    return this.in((await introspect(server, caller, text)).members);
  }
}
