/** Seen logins: how and when the users of tokens have logged in, by `acr` and `auth_time`, in a form that is the same for each run. */
import { claimsOf } from './demo-realm.js';
import { introspect, textOf, type Caller, type Reply } from './requests.js';
import type { ContractServer } from './server.js';

/** `acr`, and `auth_time` in relation to the first one that was seen: 0, or 1 where it is later; undefined where there is none. */
export type SeenLogin = readonly [acr: unknown, later: number | undefined];

/** A login takes its time, so all is relative to the first one that it sees. */
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
