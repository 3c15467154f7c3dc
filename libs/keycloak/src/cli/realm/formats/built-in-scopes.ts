/** Keycloak adds none of its built-in scopes if a realm file has scopes of its own. */
const HIDDEN = { 'include.in.token.scope': 'false', 'display.on.consent.screen': 'false' };
const IN_TOKENS = { 'access.token.claim': 'true', 'introspection.token.claim': 'true' };

export const BASIC = {
  name: 'basic',
  protocol: 'openid-connect',
  attributes: HIDDEN,
  protocolMappers: [
    { name: 'sub', protocol: 'openid-connect', protocolMapper: 'oidc-sub-mapper', config: IN_TOKENS },
    {
      name: 'auth_time',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-usersessionmodel-note-mapper',
      config: {
        ...IN_TOKENS,
        'user.session.note': 'AUTH_TIME',
        'id.token.claim': 'true',
        'claim.name': 'auth_time',
        'jsonType.label': 'long',
      },
    },
  ],
};

export const ACR = {
  name: 'acr',
  protocol: 'openid-connect',
  attributes: HIDDEN,
  protocolMappers: [
    {
      name: 'acr loa level',
      protocol: 'openid-connect',
      protocolMapper: 'oidc-acr-mapper',
      config: { ...IN_TOKENS, 'id.token.claim': 'true' },
    },
  ],
};
