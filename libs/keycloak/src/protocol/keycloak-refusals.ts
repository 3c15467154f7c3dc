type Fields = Readonly<Record<string, unknown>>;

interface KeycloakRefusal {
  readonly description: RegExp;
  readonly hint: (named: (field: string, otherwise: string) => string) => string;
}

/**
 * The description identifies each refusal of Keycloak 26.7, because one code such as `invalid_request` can have several
 * causes.
 */
const KEYCLOAK_REFUSALS: readonly KeycloakRefusal[] = [
  {
    description: /^HTTPS required$/,
    hint: () =>
      'The realm requires https: from this address (Realm settings, General, Require SSL). Use https: for Keycloak (internalServerUrl, KEYCLOAK_BASE_URL). If a proxy terminates TLS in front of Keycloak, set KC_PROXY_HEADERS at Keycloak, and let the proxy send X-Forwarded-Proto.',
  },
  {
    description: /^Realm not enabled$/,
    hint: () =>
      'The realm is disabled. Enable it at Keycloak (Realm settings, the switch "Enabled"). The client id and the secret of this service are not the cause.',
  },
  {
    description: /^Standard token exchange is not enabled/,
    hint: (named) =>
      `Switch on "Standard token exchange" at the client ${named('client', 'of this service')} (Settings, Capability config).`,
  },
  {
    description: /^Client not enabled to retrieve service account$/,
    hint: (named) =>
      `Switch on "Service account roles" at the client ${named('client', 'of this service')} (Settings, Capability config).`,
  },
  {
    description: /^Audience not found$/,
    hint: (named) =>
      `The realm has no client ${named('audience', 'of this audience')}. Compare \`audience\` where the service is registered with the client ids of the realm.`,
  },
  {
    description: /^Client is not within the token audience$/,
    hint: (named) =>
      `Keycloak exchanges a token only for a client in its audience, and ${named('client', 'this client')} is not in it. Check that ${named('client', 'this client')} is the client of this service (clientId).`,
  },
  {
    description: /disabled|not enabled/i,
    hint: (named) =>
      `A client is disabled. Enable the client ${named('audience', named('client', 'of this service'))} (Clients, the switch "Enabled").`,
  },
];

export function keycloakRefusalHint(fields: Fields): string | undefined {
  const { description } = fields;
  if (typeof description !== 'string') return undefined;
  const refusal = KEYCLOAK_REFUSALS.find((one) => one.description.test(description));
  return refusal?.hint((field, otherwise) => {
    const value = fields[field];
    return typeof value === 'string' && value !== '' ? value : otherwise;
  });
}
