/** The refusals of Keycloak 26.7.4's token endpoint as they were seen, by their row in the design's table. */
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { systemClock } from '../caching/clock.js';
import { TOKEN_EXCHANGE_GRANT } from '../protocol/identifiers.js';
import { connectionTo, json, startScriptedRealm, TOKEN, type ScriptedServer } from '../testing/scripted-server.js';
import { connectToAuthorizationServer } from './connect.js';
import type { TokenEndpoint } from './token-endpoint.js';

let realm: ScriptedServer;
let endpoint: TokenEndpoint;
beforeEach(async () => {
  realm = await startScriptedRealm();
  endpoint = connectToAuthorizationServer(connectionTo(realm), systemClock).tokenEndpoint;
});
afterEach(() => realm.stop());

const exchange = () =>
  endpoint.request({
    grant_type: TOKEN_EXCHANGE_GRANT,
    subject_token: 't',
    audience: 'service-c',
    scope: 'analytics.run',
  });
const forSelf = () => endpoint.request({ grant_type: 'client_credentials', scope: 'analytics.run' });

const NO_AUDIENCE = 'Requested audience not available: service-c';
const SWITCH_OFF = 'Standard token exchange is not enabled for the requested client';

describe('a refused exchange', () => {
  it.each<[string, number, string, string | undefined, string]>([
    ['7, 18: the subject may not have the scope', 400, 'invalid_request', NO_AUDIENCE, 'insufficient_scope'],
    [
      '9: subject token of another audience',
      403,
      'access_denied',
      'Client is not within the token audience',
      'authorization_server_refused',
    ],
    ['10: subject token revoked or expired', 400, 'invalid_request', 'Invalid token', 'invalid_token'],
    ['11: exchange not switched on', 400, 'invalid_request', SWITCH_OFF, 'authorization_server_refused'],
    ['12: unknown audience', 400, 'invalid_client', 'Audience not found', 'authorization_server_refused'],
    [
      '13: unknown or unassigned scope',
      400,
      'invalid_scope',
      'Invalid scopes: analytics.run',
      'authorization_server_refused',
    ],
    [
      '14: wrong secret',
      401,
      'unauthorized_client',
      'Invalid client or Invalid client credentials',
      'authorization_server_refused',
    ],
    ['RFC 6749: the grant is no good', 400, 'invalid_grant', 'Session not active', 'invalid_token'],
    ['RFC 6749: the same, undescribed', 400, 'invalid_grant', undefined, 'invalid_token'],
    ['unknown description', 400, 'invalid_request', 'Something new', 'authorization_server_refused'],
    [
      'unknown description that begins like a known one',
      400,
      'invalid_request',
      'Invalid token type',
      'authorization_server_refused',
    ],
    ['no description', 400, 'invalid_request', undefined, 'authorization_server_refused'],
    ['another code with a known description', 400, 'invalid_client', 'Invalid token', 'authorization_server_refused'],
    [
      'a known description with another status',
      403,
      'invalid_request',
      'Invalid token',
      'authorization_server_refused',
    ],
    ['a known description with a failure', 500, 'invalid_request', 'Invalid token', 'authorization_server_unavailable'],
  ])('row %s', async (_row, status, error, error_description, code) => {
    realm.answer(TOKEN, json({ error, error_description }, status));
    await expect(exchange()).rejects.toMatchObject({ code });
  });

  it('names the permission that the subject may not have, and for which audience (TX-07)', async () => {
    realm.answer(TOKEN, json({ error: 'invalid_request', error_description: NO_AUDIENCE }, 400));
    await expect(exchange()).rejects.toMatchObject({
      permission: 'analytics.run',
      reason: 'permission_not_granted_to_subject',
      fields: { audience: 'service-c' },
    });
  });

  it('does not echo what the server said', async () => {
    realm.answer(TOKEN, json({ error: 'invalid_request', error_description: 'secret story' }, 400));
    const error = await exchange().catch((thrown: unknown) => thrown as Error);
    expect((error as Error).message).toBe('Authorization server refused this service (answered_400_invalid_request)');
  });
});

describe('refused client credentials', () => {
  it.each<[string, number, string, string]>([
    ['3: scope not assigned', 400, 'invalid_scope', 'Invalid scopes: analytics.run'],
    ['14: wrong secret', 401, 'unauthorized_client', 'Invalid client or Invalid client credentials'],
    ['what at an exchange would be the subject token', 400, 'invalid_request', 'Invalid token'],
    ['what at an exchange would be the subject', 400, 'invalid_request', NO_AUDIENCE],
    ['what at an exchange would be the grant', 400, 'invalid_grant', 'Session not active'],
  ])('are our own fault, never a caller’s: row %s', async (_row, status, error, error_description) => {
    realm.answer(TOKEN, json({ error, error_description }, status));
    await expect(forSelf()).rejects.toMatchObject({ code: 'authorization_server_refused' });
  });
});
