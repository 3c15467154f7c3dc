import { setTimeout as sleep } from 'node:timers/promises';
import { attempt } from 'demo';
import type { Attacker } from './attack-tools.js';

export const revokedToken: Attacker = async ({ keycloak, serviceB }) => {
  const [token, twin] = await Promise.all([keycloak.ownToken('orders.approve'), keycloak.ownToken('orders.approve')]);
  await keycloak.revoke(token);
  return attempt({
    attack: ['A token for Service B that was revoked a moment ago, to Service B', serviceB.whoami(token)],
    control: ['Its twin, which was not revoked, to Service B', serviceB.whoami(twin)],
    token,
  });
};

/**
 * A token with a lifetime of one second has certainly expired after this time, although Keycloak counts whole seconds.
 */
const SURELY_EXPIRED_MS = 2100;

const MAX_TOKENS = 3;

export const expiredToken: Attacker = async ({ keycloak, serviceA, shortLivedClient, graceSeconds }) => {
  const form = { grant_type: 'client_credentials', scope: 'attacks.run' };
  for (let made = 1; ; made += 1) {
    const { accessToken: token } = await keycloak.tokens(form, shortLivedClient);
    const whileItLived = await serviceA.whoami(token);
    if (whileItLived.status === 401 && made < MAX_TOKENS) continue;
    await sleep(SURELY_EXPIRED_MS + graceSeconds * 1000);
    const later = graceSeconds === 0 ? 'two' : String(2 + graceSeconds);
    return attempt({
      attack: [`A token that lived one second, to Service A ${later} seconds later`, serviceA.whoami(token)],
      control: ['The same token, to Service A before that', Promise.resolve(whileItLived)],
      token,
    });
  }
};
