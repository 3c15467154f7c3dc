import { claimsOf } from './demo-realm.js';
import { answer, isActive } from './observations.js';
import { chainOf, clientCredentials, introspect, refresh, textOf, type Chain } from './requests.js';
import type { ContractServer } from './server.js';

export interface Tokens extends Chain {
  readonly username: string;
  readonly ofService: string;
}

export async function tokensOf(server: ContractServer, client?: string): Promise<Tokens> {
  const username = await server.newUser('order-manager');
  const chain = await chainOf(server, username, client);
  return { ...chain, username, ofService: textOf(await clientCredentials(server, 'service-a', 'orders.approve')) };
}

export const states = async (
  server: ContractServer,
  { atA, atB, atC, ofService }: Tokens,
): Promise<readonly unknown[]> => [
  isActive(await introspect(server, 'service-a', atA)),
  isActive(await introspect(server, 'service-b', atB)),
  isActive(await introspect(server, 'service-c', atC)),
  isActive(await introspect(server, 'service-b', ofService)),
];

export const after = ({ atA, atB, atC, ofService }: Tokens): number =>
  Math.max(...[atA, atB, atC, ofService].map((text) => Number(claimsOf(text)['iat']))) + 1;

export const refreshed = async (server: ContractServer, { login: first }: Tokens): Promise<unknown> => {
  const reply = await refresh(server, textOf(first, 'refresh_token'));
  return reply.status === 200 ? 200 : answer(server, reply);
};

export const pathOf = async ({ administrator }: ContractServer, clientId: string): Promise<string> => {
  const [client] = await administrator.read<{ id: string }[]>(`/clients?clientId=${clientId}`);
  return `/clients/${client?.id}`;
};

/** Waits until the next second, since `notBefore` has whole seconds. */
export const nextSecond = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 1100));
