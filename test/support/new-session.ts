import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { exchangeForB, login, textOf } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';

export interface Session {
  readonly refreshToken: string;
  readonly sid: string;
  readonly atA: string;
  readonly atB: string;
}

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
