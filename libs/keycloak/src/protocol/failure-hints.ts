import { connectionHint } from './connection-failures.js';
import { keycloakRefusalHint } from './keycloak-refusals.js';
import type { KeycloakException } from './keycloak-exception.js';

type Named = (field: string, otherwise: string) => string;
type Hint = (named: Named) => string;

const NOT_OF_KEYCLOAK: Hint = (named) =>
  `The server at ${named('endpoint', 'the address of Keycloak')} does not answer as Keycloak does. Look for a proxy or a login page in its place, and check issuer and internalServerUrl.`;

const CLIENT_CREDENTIALS: Hint = (named) =>
  `Keycloak does not accept the credentials of ${named('client', 'this service')}. Compare clientId and the secret with the client in Keycloak (Clients, Credentials), and check that the client is enabled.`;

const KEYS: Hint = () => "A key of the realm was replaced or can't be used. Look at Realm settings, Keys.";

const OF_KEYCLOAK: Readonly<Record<string, Hint>> = {
  client_credential_unreadable: () =>
    'The secret or key of this service can\'t be read. The log line "The client credential can\'t be read" has the reason.',
  realm_not_found: (named) =>
    `Keycloak has no realm at ${named('endpoint', 'this address')}. Compare the name of the realm and internalServerUrl with Keycloak.`,
  issuer_mismatch: (named) =>
    `The issuer of the realm is ${named('found', 'another one')}, but this service expects ${named('configured', 'another issuer')}. Correct issuer, or set the Frontend URL (Realm settings, General) or KC_HOSTNAME back.`,
  endpoint_missing: NOT_OF_KEYCLOAK,
  endpoint_on_foreign_origin: (named) =>
    `The discovery document names ${named('origin', 'another server')}, which is neither internalServerUrl nor issuer. Compare them with the Frontend URL of the realm and KC_HOSTNAME.`,
  no_audience_at_issuer: (named) =>
    `Add the client id of ${named('called', 'the service')} at ${named('iss', 'this issuer')} to \`audience\`, where the service is registered.`,
  token_type_not_bearer: NOT_OF_KEYCLOAK,
  access_token_not_header_safe: NOT_OF_KEYCLOAK,
  issued_token_type_not_as_asked: NOT_OF_KEYCLOAK,
  nonsense_answer: NOT_OF_KEYCLOAK,
  answer_not_json: NOT_OF_KEYCLOAK,
  answer_not_strict_json: NOT_OF_KEYCLOAK,
  answer_too_large: NOT_OF_KEYCLOAK,
  scope_not_asked_for: (named) =>
    `Keycloak adds ${named('scope', 'a scope')} unasked to each token of ${named('client', 'this service')}. Make it an optional client scope of that client (Clients, Client scopes), or name it in expectedDefaultScopes.`,
  scope_not_granted: (named) =>
    `The service account of ${named('client', 'this service')} does not get ${named('scope', 'the scope')}. Give it a role of that client scope, and check that the scope has "Include in token scope".`,
  audience_mapper_missing: (named) =>
    `The client scope ${named('scope', 'that was asked for')} has no audience mapper. Add a mapper of the type Audience, with the client ${named('audience', 'of the next service')}.`,
  audience_mismatch: (named) =>
    `The token for ${named('scope', 'this scope')} is for ${named('found', 'another service')}, but the service is registered with the audience ${named('audience', 'of another client')}. Correct that \`audience\`, or the client in the audience mapper of the client scope.`,
  signing_keys_malformed: KEYS,
  signing_key_unknown: KEYS,
  signing_key_unusable: KEYS,
  answered_400_invalid_scope: (named) =>
    `${named('client', 'This service')} may not ask for ${named('scope', 'this scope')}. If ${named('client', 'that')} is the client of this service, add the client scope there (Clients, Client scopes), as optional, or correct its spelling. If it is another client, correct clientId.`,
};

const OF_SERVICE: Readonly<Record<string, Hint>> = {
  answered_401: (named) =>
    `${named('called', 'The service')} refused this service's token and then a new one. Its log has the reason, such as a wrong clock or client id.`,
  answered_403: (named) =>
    `${named('called', 'The service')} refuses this service itself. Its log names the missing permission, or the clients that may call the route.`,
  answered_404: (named) =>
    `${named('called', 'The service')} has nothing at this path, or another service answers at its address. Compare the host, the port and the path in \`call\` with the address of ${named('called', 'the service')}.`,
  answer_not_json: (named) =>
    `The server at the address of ${named('called', 'the service')} gives an unexpected answer. Look for a proxy, another service or another version there.`,
  answer_not_as_agreed: (named) =>
    `${named('called', 'The service')} does not answer in the agreed format. It has another version, or it is another service.`,
  answer_too_large: (named) =>
    `${named('called', 'The service')} sends a larger answer than this service accepts. Ask for less, or raise maxResponseBytes.`,
};

const OF_BOTH: Readonly<Record<string, Hint>> = {
  timeout: (named) => `${whom(named)} does not answer in time. Check whether it is overloaded, restarting or hanging.`,
  answer_broken_off: (named) =>
    `${whom(named)} broke off its answer. It was stopped or restarted, or a proxy in between cut the connection.`,
  queue_full: (named) => `Too many calls to ${whom(named)} are waiting. It is slow, or this service is overloaded.`,
  circuit_open: (named) =>
    `No call was sent, because the last calls to ${whom(named)} failed. The first failures, further up in the log, say why.`,
};

/** Most refusals of a caller need no hint, because their cause is in the token. */
const OF_CALLER: Readonly<Record<string, Hint>> = {
  permission_not_granted_to_subject: (named) =>
    `Keycloak gives the caller no token for ${named('scope', 'this permission')}. If the caller may have it, assign a role of this client scope to the caller (Client scopes, ${named('scope', 'the scope')}, Scope).`,
  delegation_token_refused: () =>
    'Somebody acts for the subject of this token (act), or may act for it (may_act). Keycloak 26.8 does not exchange such a token without an actor_token, which this library does not send. The user must log in without impersonation or delegation. If a mapper adds act or may_act, remove the mapper.',
};

const whom = (named: Named): string => named('called', 'Keycloak');

export function failureHint({ code, reason, httpStatus, fields }: KeycloakException): string | undefined {
  const named: Named = (field, otherwise) => {
    const value = fields[field];
    return typeof value === 'string' && value !== '' ? value : otherwise;
  };
  if (httpStatus < 500) return Object.hasOwn(OF_CALLER, reason) ? OF_CALLER[reason]?.(named) : undefined;
  const isKeycloak = code.startsWith('authorization_server_');
  const words = isKeycloak ? keycloakRefusalHint(fields) : undefined;
  const ofOne = isKeycloak ? OF_KEYCLOAK : OF_SERVICE;
  const row = [ofOne, OF_BOTH].find((table) => Object.hasOwn(table, reason))?.[reason];
  return (
    words ??
    row?.(named) ??
    connectionHint(reason).hint ??
    (isKeycloak ? keycloakAnswered : serviceAnswered)(reason, named)
  );
}

const ANSWERED = /^answered_(\d{3})/;

function keycloakAnswered(reason: string, named: Named): string {
  const status = Number(ANSWERED.exec(reason)?.[1]);
  if (status === 401) return CLIENT_CREDENTIALS(named);
  if (status === 429 || status >= 500) return 'Keycloak is overloaded, restarting or failing. Read its log.';
  if (status === 400 || status === 403)
    return 'Keycloak refuses a request of this service. `description` has its words, if any. Doctor tries each request.';
  if (status < 400 || status > 401) return NOT_OF_KEYCLOAK(named);
  return `Nothing answers at ${named('endpoint', 'the address of Keycloak')}. Check that Keycloak runs, and compare host and port with internalServerUrl.`;
}

function serviceAnswered(reason: string, named: Named): string {
  const called = named('called', 'the service');
  const status = Number(ANSWERED.exec(reason)?.[1]);
  if (status >= 500) return `${called} has failed, or a service behind it has. Read its log.`;
  if (status >= 400) return `${called} refuses the request, not the token. Read its log, and compare the versions.`;
  if (status >= 200)
    return `${called} answers with a redirect or an empty answer. Look for a proxy or a login page in its place.`;
  return `Nothing answers at the address of ${called}. Check that it runs, and compare the host and the port in its base URL.`;
}

export function loggedFields(refusal: KeycloakException): Readonly<Record<string, unknown>> {
  const hint = refusal.fields['hint'] ?? failureHint(refusal);
  return hint === undefined ? refusal.fields : { ...refusal.fields, hint };
}
