import { connectionHint } from './connection-failures.js';
import { keycloakRefusalHint } from './keycloak-refusals.js';
import type { KeycloakException } from './keycloak-exception.js';

type Named = (field: string, otherwise: string) => string;
type Hint = (named: Named) => string;

const NOT_OF_KEYCLOAK: Hint = (named) =>
  `What answers at ${named('endpoint', 'the address of Keycloak')} does not answer as Keycloak does: look for a proxy or a login page in its place, and compare issuer and internalServerUrl.`;

const CLIENT_CREDENTIALS: Hint = (named) =>
  `Keycloak does not accept the credentials of ${named('client', 'this service')}: compare clientId and the secret with the client in Keycloak (Clients, Credentials), and see whether that client is enabled.`;

const KEYS: Hint = () =>
  'Look at the keys of the realm (Realm settings, Keys): a key was replaced, or is not fit for use.';

const OF_KEYCLOAK: Readonly<Record<string, Hint>> = {
  client_credential_unreadable: () =>
    'The secret or key of this service can\'t be read: the line "Client credential can\'t be read" has the reason.',
  realm_not_found: (named) =>
    `There is no realm at ${named('endpoint', 'this address')}: compare the name of the realm, and internalServerUrl, with Keycloak.`,
  issuer_mismatch: (named) =>
    `The realm calls itself ${named('found', 'otherwise')}, and this service expects ${named('configured', 'another issuer')}: set issuer to what the realm calls itself, or set the Frontend URL (Realm settings, General) or KC_HOSTNAME back.`,
  endpoint_missing: NOT_OF_KEYCLOAK,
  endpoint_on_foreign_origin: (named) =>
    `The discovery document names ${named('origin', 'another server')}, which is neither internalServerUrl nor issuer: compare them with the Frontend URL of the realm and KC_HOSTNAME.`,
  no_audience_at_issuer: (named) =>
    `Name the client id that ${named('called', 'the service')} has at ${named('iss', 'this issuer')} in \`audience\`, where the service is registered.`,
  token_type_not_bearer: NOT_OF_KEYCLOAK,
  access_token_not_header_safe: NOT_OF_KEYCLOAK,
  issued_token_type_not_as_asked: NOT_OF_KEYCLOAK,
  nonsense_answer: NOT_OF_KEYCLOAK,
  answer_not_json: NOT_OF_KEYCLOAK,
  answer_not_strict_json: NOT_OF_KEYCLOAK,
  answer_too_large: NOT_OF_KEYCLOAK,
  scope_not_asked_for: (named) =>
    `Keycloak adds ${named('scope', 'a scope')} to each token of ${named('client', 'this service')}, and nobody asked for it: make it an optional client scope of that client (Clients, Client scopes), or name it in expectedDefaultScopes.`,
  scope_not_granted: (named) =>
    `The service account of ${named('client', 'this service')} does not get ${named('scope', 'the scope')}: give it a role of that client scope, and see that the scope has "Include in token scope".`,
  audience_mapper_missing: (named) =>
    `The client scope ${named('scope', 'that was asked for')} has no audience mapper: add one of the type Audience, with the client ${named('audience', 'of the next service')}.`,
  audience_mismatch: (named) =>
    `The token for ${named('scope', 'this scope')} is for ${named('found', 'another service')}, and the service is registered with the audience ${named('audience', 'of another client')}: mend \`audience\` there, or the client that the audience mapper of the client scope names.`,
  signing_keys_malformed: KEYS,
  signing_key_unknown: KEYS,
  signing_key_unusable: KEYS,
  answered_400_invalid_scope: (named) =>
    `${named('client', 'This service')} may not ask for ${named('scope', 'this scope')}. If ${named('client', 'that')} is the client of this service, add the client scope there (Clients, Client scopes), as optional, or mend its spelling. If it is another client, mend clientId.`,
};

const OF_SERVICE: Readonly<Record<string, Hint>> = {
  answered_401: (named) =>
    `${named('called', 'The service')} refuses this service's token, and a new one: its own log has the reason, such as its clock or its client id.`,
  answered_403: (named) =>
    `${named('called', 'The service')} refuses this service itself: its own log names the permission, or the clients that the route is for.`,
  answered_404: (named) =>
    `${named('called', 'The service')} has nothing at this path, or another service answers at its address: compare the host, the port and the path in \`call\` with where ${named('called', 'it')} listens.`,
  answer_not_json: (named) =>
    `What answers at the address of ${named('called', 'the service')} does not answer as it does: look for a proxy, another service or another version there.`,
  answer_not_as_agreed: (named) =>
    `${named('called', 'The service')} answers in another form than was agreed: it is of another version, or another service.`,
  answer_too_large: (named) =>
    `${named('called', 'The service')} answers more than this service takes: ask for less, or raise maxResponseBytes.`,
};

const OF_BOTH: Readonly<Record<string, Hint>> = {
  timeout: (named) => `${whom(named)} does not answer in time: see whether it is overloaded, restarting or hung.`,
  answer_broken_off: (named) =>
    `${whom(named)} broke its answer off: it was stopped or restarted, or a proxy between cut the connection.`,
  queue_full: (named) => `Too many calls to ${whom(named)} wait: it is slow, or this service has too much to do.`,
  circuit_open: (named) =>
    `No call was made, since the last ones to ${whom(named)} failed: the first failures, further up in the log, say why.`,
};

const whom = (named: Named): string => named('called', 'Keycloak');

export function failureHint({ code, reason, httpStatus, fields }: KeycloakException): string | undefined {
  if (httpStatus < 500) return undefined;
  const named: Named = (field, otherwise) => {
    const value = fields[field];
    return typeof value === 'string' && value !== '' ? value : otherwise;
  };
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
  if (status === 429 || status >= 500) return 'Keycloak is overloaded, restarting or failing: look at its own log.';
  if (status === 400 || status === 403)
    return 'Keycloak refuses what this service asks for: `description` has its words, if it gave any, and doctor tries each request.';
  if (status < 400 || status > 401) return NOT_OF_KEYCLOAK(named);
  return `Nothing answers at ${named('endpoint', 'the address of Keycloak')}: see whether Keycloak runs, and compare host and port with internalServerUrl.`;
}

function serviceAnswered(reason: string, named: Named): string {
  const called = named('called', 'the service');
  const status = Number(ANSWERED.exec(reason)?.[1]);
  if (status >= 500) return `${called} has a failure of its own, or of a service behind it: look into its log.`;
  if (status >= 400)
    return `${called} refuses the request, and not the token: look into its log, and compare the versions.`;
  if (status >= 200)
    return `${called} answers with a redirect or without an answer: look for a proxy or a login page in its place.`;
  return `Nothing answers at the address of ${called}: see whether it runs, and compare the host and the port in its base URL.`;
}

export function loggedFields(refusal: KeycloakException): Readonly<Record<string, unknown>> {
  const hint = refusal.fields['hint'] ?? failureHint(refusal);
  return hint === undefined ? refusal.fields : { ...refusal.fields, hint };
}
