import type { RefusalBody, RefusalCode } from 'nestjs-keycloak-s2s';

const ADVICE: Readonly<Record<RefusalCode, string>> = {
  missing_token:
    'Nobody is logged in, or the session has ended. This service acts as itself only in demo mode, and never in place of a user. Log in, or send your own token in the Authorization header.',
  invalid_request: 'The request carried more than one credential, or a malformed one. Send a single Bearer token.',
  invalid_token:
    'The token is not valid for this service, or no longer valid. Get a new one for service-a, and try again.',
  insufficient_user_authentication:
    'The caller is authenticated, but this needs a login that is more recent or stronger. Log in again, and try again.',
  insufficient_scope:
    'The caller is authenticated but may not do this. Ask an administrator for the permission, or log in as a user who has it.',
  client_not_allowed:
    'The token was issued to a client that may not call this route. Use the client that the route is for.',
  route_closed: 'This route is closed to everybody. The developer of the service has to open it.',
  authorization_server_refused:
    'Keycloak refused a service, not you. Check the client id, secret and scopes of the services against the realm; their logs say which one is wrong.',
  authorization_server_unavailable: 'Keycloak did not answer. Start it or wait until it is ready, then reload.',
  service_unavailable: 'The next service could not be reached. Start it, and reload.',
  service_timeout: 'The next service did not answer in time. Look at its log, and reload.',
  service_refused:
    'The next service accepted neither the token of this service nor a new one. Check that both use the same realm, and that the realm lets this service call it.',
  service_failed: 'The next service failed; its log says why. Fix that, and reload.',
};

const JUST_LOGGED_IN =
  'You have just logged in again, but that login was not strong or recent enough. Ask an administrator whether Keycloak can log you in as strongly as required. The log says what was missing.';

export function adviceFor({ code, permission }: RefusalBody, isRepeated = false): string {
  if (isRepeated) return JUST_LOGGED_IN;
  return permission === undefined ? ADVICE[code] : `Permission ${permission} is missing. ${ADVICE[code]}`;
}
