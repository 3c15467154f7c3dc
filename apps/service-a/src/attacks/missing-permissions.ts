import { attempt, thenCleanUp } from 'demo';
import type { Attacker } from './attack-tools.js';
import { DEMO_CLI } from './demo-cli.js';

export const permissionNotAssigned: Attacker = async ({ keycloak }) => {
  const askFor = (scope: string) => keycloak.askForToken({ grant_type: 'client_credentials', scope });
  return attempt({
    attack: ['Service A asks Keycloak for a token with inventory.adjust', askFor('inventory.adjust')],
    control: ['Service A asks Keycloak for a token with orders.approve', askFor('orders.approve')],
  });
};

/** DEMO: a user whose password the realm publishes. */
const ALICE = { username: 'alice', password: 'alice' };
const BOB = { username: 'bob', password: 'bob' };

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
  return thenCleanUp(made, () => keycloak.logOut(refreshToken, DEMO_CLI));
};

export const ordinaryLogin: Attacker = async ({ keycloak, serviceA }) => {
  const form = { grant_type: 'password', ...ALICE, scope: 'orders.read' };
  const { accessToken: token, refreshToken } = await keycloak.tokens(form, DEMO_CLI);
  const made = attempt({
    attack: ["alice's token, to Service A: refund an order", serviceA.get('/refund', token)],
    control: ["alice's token, to Service A: read an order", serviceA.get('/api/orders/9876', token)],
    token,
  });
  return thenCleanUp(made, () => keycloak.logOut(refreshToken, DEMO_CLI));
};
