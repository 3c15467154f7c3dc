import { AttackNotRun, attempt, thenCleanUp } from 'demo';
import type { Attacker } from './attack-tools.js';

export const noToken: Attacker = async ({ keycloak, serviceB }) => {
  const token = await keycloak.ownToken('orders.approve');
  return attempt({
    attack: ['A request without token, to Service B', serviceB.whoami(undefined)],
    control: ['The same request with a token for Service B', serviceB.whoami(token)],
  });
};

export const idToken: Attacker = async ({ keycloak, serviceA }) => {
  const form = { grant_type: 'client_credentials', scope: 'openid orders.read' };
  const { accessToken, idToken: token } = await keycloak.tokens(form);
  if (token === undefined) throw new AttackNotRun('Keycloak gave no ID token.');
  return attempt({
    attack: ['The ID token, to Service A, its audience', serviceA.whoami(token)],
    control: ['The access token that came with it, to Service A', serviceA.whoami(accessToken)],
    token,
  });
};

/** A log may contain the URL, so the attack revokes the token afterwards. */
export const tokenInQuery: Attacker = async ({ keycloak, serviceB }) => {
  const token = await keycloak.ownToken('orders.approve');
  const made = attempt({
    attack: ['A token for Service B in the query (?access_token=…), to Service B', serviceB.whoamiByQuery(token)],
    control: ['The same token in the Authorization header, to Service B', serviceB.whoami(token)],
    token,
  });
  return thenCleanUp(made, () => keycloak.revoke(token));
};
