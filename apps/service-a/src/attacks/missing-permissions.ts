/** Missing permissions: what neither a service nor a user is given, however it asks. */
import { attempt, thenEnd } from 'demo';
import type { Attacker } from './attack-tools.js';

export const permissionNotAssigned: Attacker = async ({ keycloak }) => {
  const askFor = (scope: string) => keycloak.askForToken({ grant_type: 'client_credentials', scope });
  return attempt({
    attack: ['Service A to Keycloak: a token with inventory.adjust, please', askFor('inventory.adjust')],
    control: ['Service A to Keycloak: a token with orders.approve, please', askFor('orders.approve')],
  });
};

/** DEMO: he, his password and the client are published with the realm. */
const BOB = { username: 'bob', password: 'bob' };
const DEMO_CLI = { clientId: 'demo-cli' };

export const bobApproves: Attacker = async ({ keycloak, serviceA }) => {
  const form = { grant_type: 'password', ...BOB, scope: 'orders.read' };
  const { accessToken: token, refreshToken } = await keycloak.tokens(form, DEMO_CLI);
  const made = attempt({
    attack: [
      "bob's token, to Service A: run the chain, which approves an order",
      serviceA.get('/run-service-b', token),
    ],
    control: ["bob's token, to Service A: read an order", serviceA.get('/api/orders/9876', token)],
    token,
  });
  return thenEnd(made, () => keycloak.logOut(refreshToken, DEMO_CLI));
};
