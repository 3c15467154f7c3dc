import { attempt } from 'demo';
import type { Attacker } from './attack-tools.js';

export const tamperedSignature: Attacker = async ({ keycloak, serviceB }) => {
  const token = await keycloak.ownToken('orders.approve');
  return attempt({
    attack: [
      'A token for Service B with one character of its signature changed, to Service B',
      serviceB.whoami(tampered(token)),
    ],
    control: ['The original token, to Service B', serviceB.whoami(token)],
    token,
    forged: 'one character of the signature',
  });
};

const MORE = 'inventory.adjust';

export const algNone: Attacker = async ({ keycloak, serviceB }) => {
  const token = await keycloak.ownToken('orders.approve');
  return attempt({
    attack: [
      'The same claims and one more permission, without signature, to Service B',
      serviceB.whoami(unsigned(token)),
    ],
    control: ['The signed token, to Service B', serviceB.whoami(token)],
    token,
    forged: `alg none, and scope … ${MORE}`,
  });
};

/** Changes the signature's first character, since the last character may have unused bits. */
function tampered(token: string): string {
  const at = token.lastIndexOf('.') + 1;
  return token.slice(0, at) + (token[at] === 'A' ? 'B' : 'A') + token.slice(at + 1);
}

function unsigned(token: string): string {
  const claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>;
  const more = { ...claims, scope: `${String(claims['scope'])} ${MORE}` };
  return `${encoded({ alg: 'none', typ: 'at+jwt' })}.${encoded(more)}.`;
}

const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
