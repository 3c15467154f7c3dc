import { describe, expect, it } from '@jest/globals';
import { adminEventSignal } from './admin-event-signals.js';
import { userEventSignal } from './user-event-signals.js';

const TIME = 1_795_615_640_123;
const OF_USER = { denial: { sub: 'u1', issuedBefore: 1_795_615_641 } };
const EVERYTHING = { recheck: 'everything' };

describe('userEventSignal', () => {
  it.each<[object, object | undefined]>([
    [{ type: 'LOGOUT', userId: 'u1', sessionId: 's1' }, { denial: { sid: 's1' } }],
    [{ type: 'LOGOUT', userId: 'u1' }, { recheck: { sub: 'u1' } }],
    [{ type: 'LOGOUT' }, undefined],
    [{ type: 'REVOKE_GRANT', userId: 'u1', sessionId: 's1' }, { recheck: { sid: 's1' } }],
    [{ type: 'REVOKE_GRANT', userId: 'u1', details: { token_id: 'x' } }, { recheck: { sub: 'u1' } }],
    [{ type: 'REVOKE_GRANT', details: { token_id: 'x' } }, EVERYTHING],
    [{ type: 'USER_DISABLED_BY_PERMANENT_LOCKOUT', userId: 'u1' }, OF_USER],
    [{ type: 'DELETE_ACCOUNT', userId: 'u1' }, OF_USER],
    [{ type: 'DELETE_ACCOUNT' }, EVERYTHING],
    [{ type: 'UPDATE_PASSWORD', userId: 'u1' }, undefined],
    [{ type: 'LOGIN', userId: 'u1', sessionId: 's1' }, undefined],
    [{ type: 'LOGOUT_ERROR', userId: 'u1', sessionId: 's1' }, undefined],
    [{ type: 5, userId: 'u1' }, undefined],
    [{ type: 'LOGOUT', userId: 5, sessionId: '' }, undefined],
    [{ type: 'LOGOUT', sessionId: 'x'.repeat(2000) }, undefined],
    [{}, undefined],
  ])('maps %j to %j', (event, signal) => {
    expect(userEventSignal({ time: TIME, ...event })).toEqual(signal);
  });

  it.each([undefined, 'now', NaN, Infinity, 0, -1, 1e20])(
    'rechecks the tokens of the user instead of denying them if the event time is %s',
    (time) => {
      expect(userEventSignal({ type: 'DELETE_ACCOUNT', userId: 'u1', time })).toEqual({ recheck: { sub: 'u1' } });
    },
  );
});

describe('adminEventSignal', () => {
  it.each<[string, string, object | undefined]>([
    ['DELETE', 'sessions/s1', { denial: { sid: 's1' } }],
    ['ACTION', 'users/u1/logout', OF_USER],
    ['DELETE', 'users/u1', OF_USER],
    ['UPDATE', 'users/u1', { recheck: { sub: 'u1' } }],
    ['ACTION', 'users/u1/consents/demo-cli', { recheck: { sub: 'u1' } }],
    ['DELETE', 'users/u1/consents/demo-cli', { recheck: { sub: 'u1' } }],
    ['DELETE', 'users/u1/role-mappings/realm', { recheck: { sub: 'u1' } }],
    ['DELETE', 'users/u1/groups/g1', { recheck: { sub: 'u1' } }],
    ['ACTION', 'users/u1/reset-password', undefined],
    ['ACTION', 'users/u1/credentials/c1', undefined],
    ['ACTION', 'users/u1/execute-actions-email', undefined],
    ['CREATE', 'users/u1', undefined],
    ['UPDATE', 'clients/c1', EVERYTHING],
    ['DELETE', 'clients/c1', EVERYTHING],
    ['ACTION', 'clients/c1/client-secret', undefined],
    ['ACTION', 'logout-all', EVERYTHING],
    ['ACTION', 'push-revocation', EVERYTHING],
    ['UPDATE', '', EVERYTHING],
    ['UPDATE', 'events/config', EVERYTHING],
    ['UPDATE', 'components/keys', EVERYTHING],
    ['UPDATE', 'authentication/flows/f1', undefined],
    ['DELETE', 'attack-detection/brute-force/users/u1', undefined],
    ['UPDATE', 'something/that/is/new', EVERYTHING],
    ['DELETE', 'sessions', EVERYTHING],
    ['DELETE', 'users', EVERYTHING],
  ])('maps %s %s to %j', (operationType, resourcePath, signal) => {
    expect(adminEventSignal({ time: TIME, operationType, resourcePath })).toEqual(signal);
  });

  it('ignores a failed or empty event, and rechecks all tokens if the resource path is not a string', () => {
    expect(adminEventSignal({ operationType: 'DELETE', resourcePath: 'users/u1', error: 'x' })).toBeUndefined();
    expect(adminEventSignal({})).toBeUndefined();
    expect(adminEventSignal({ operationType: 'UPDATE', resourcePath: 7 })).toEqual(EVERYTHING);
  });
});
