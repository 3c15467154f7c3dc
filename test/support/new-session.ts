/** New session: a user who has logged in at Keycloak, with the token that Service A was given and the one that it exchanged it for. */
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { exchangeForB, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';

export interface Session {
  readonly refreshToken: string;
  readonly sid: string;
  readonly atA: string;
  readonly atB: string;
}

/** Of a user who has no other. */
export async function newSession(keycloak: ContractServer): Promise<Session> {
  const first = await login(keycloak, await keycloak.newUser('order-manager'));
  const atA = textOf(first);
  return {
    refreshToken: textOf(first, 'refresh_token'),
    sid: String(claimsOf(atA)['sid']),
    atA,
    atB: await exchangeForB(keycloak, atA),
  };
}
