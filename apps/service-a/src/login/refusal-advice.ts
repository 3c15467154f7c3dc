/** Refusal advice: for each refusal the sentence that says what happened and what to do about it. */
import type { RefusalBody, RefusalCode } from 'nestjs-keycloak-s2s';

const ADVICE: Readonly<Record<RefusalCode, string>> = {
  missing_token:
    'Nobody is logged in, or the session is over. This service acts in its own name only in demo mode, and never in place of a user: log in, or send a token of yours in the Authorization header.',
  invalid_request: 'The request carried more than one credential, or one without form: send a single Bearer token.',
  invalid_token:
    'The token is not valid for this service, or is no longer: get a new one, meant for service-a, and try again.',
  insufficient_scope:
    'The caller is known, but may not do this: ask an administrator for the permission, or act as somebody who has it.',
  client_not_allowed: 'The token was issued to a client that may not call this: use the client that the route is for.',
  route_closed: 'This route has not been opened to anybody: the developer of the service has to open it.',
  authorization_server_refused:
    'Keycloak refused a service, not you: check the client id, secret and scopes of the services against the realm; their logs say which.',
  authorization_server_unavailable: 'Keycloak did not answer: start it, or wait until it is ready, and reload.',
  service_unavailable: 'The next service could not be reached: start it, and reload.',
  service_timeout: 'The next service did not answer in time: look at its log, and reload.',
  service_refused:
    'The next service did not accept the token of this one, not even a new one: check that both use the same realm, and that the realm lets this service call it.',
  service_failed: 'The next service failed: its log says why; mend that, and reload.',
};

export function adviceFor({ code, permission }: RefusalBody): string {
  return permission === undefined ? ADVICE[code] : `Permission ${permission} is missing. ${ADVICE[code]}`;
}
