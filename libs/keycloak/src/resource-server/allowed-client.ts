import { inspect } from 'node:util';

export interface ClientOfIssuer {
  readonly issuer: string;
  readonly clientId: string;
}

/** A plain client id belongs to this service's own issuer, because other issuers may use the same id. */
export type AllowedClient = string | ClientOfIssuer;

export function allowedClients(given: readonly AllowedClient[]): readonly AllowedClient[] {
  return given.map((client) => {
    if (isText(client)) return client;
    const { issuer, clientId, ...others } = Object(client) as Partial<ClientOfIssuer>;
    if (isText(issuer) && isText(clientId) && Object.keys(others).length === 0) return { issuer, clientId };
    throw new TypeError(`@AllowClients: ${inspect(client)} is neither a client id nor { issuer, clientId }`);
  });
}

const isText = (value: unknown): value is string => typeof value === 'string' && value.trim() !== '';

export function isAllowedClient(
  allowed: AllowedClient,
  token: { readonly issuer: string; readonly clientId: string },
  ownIssuer: string,
): boolean {
  const { issuer, clientId } = typeof allowed === 'string' ? { issuer: ownIssuer, clientId: allowed } : allowed;
  return token.clientId === clientId && token.issuer === issuer;
}

export const isSameClient = (one: AllowedClient, other: AllowedClient): boolean =>
  typeof one === 'string' || typeof other === 'string'
    ? one === other
    : one.issuer === other.issuer && one.clientId === other.clientId;

export const nameOfClient = (client: AllowedClient): string =>
  typeof client === 'string' ? client : `${client.clientId} of ${client.issuer}`;
