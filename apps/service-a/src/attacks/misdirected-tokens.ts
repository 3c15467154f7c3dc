import { attempt } from 'demo';
import type { Attacker } from './attack-tools.js';

export const tokenAtC: Attacker = async ({ keycloak, serviceB, serviceC }) => {
  const token = await keycloak.ownToken('orders.approve');
  return attempt({
    attack: ["Service A's token for Service B, to Service C", serviceC.whoami(token)],
    control: ['The same token, to Service B', serviceB.whoami(token)],
    token,
  });
};

export const tokenBackAtA: Attacker = async ({ keycloak, serviceA, serviceB }) => {
  const token = await keycloak.ownToken('orders.approve');
  return attempt({
    attack: ["Service A's token for Service B, to Service A", serviceA.whoami(token)],
    control: ['The same token, to Service B', serviceB.whoami(token)],
    token,
  });
};
