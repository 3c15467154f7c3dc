import { expect, it } from '@jest/globals';
import { AuthorizationServerError } from '../../protocol/authorization-server-error.js';
import { AdminApiError } from './admin-api.js';
import { unreadableFinding } from './unreadable-realm.js';

it.each([
  [
    'a time-out',
    new AuthorizationServerError('authorization_server_unavailable', { reason: 'timeout' }),
    /^Keycloak is slow or overloaded: .* run the command again/,
  ],
  ['an answer that is not JSON', new AdminApiError('/x does not answer with JSON', 200), /^Look for a proxy/],
  ['a refusal', new AdminApiError('/x answers 403', 403), /^Get a new token/],
])('the cure fits the cause: %s', (_, failure, cure) => {
  expect(unreadableFinding(failure)).toMatchObject({ check: 'administrator', level: 'error' });
  expect(unreadableFinding(failure).cure).toMatch(cure);
});
