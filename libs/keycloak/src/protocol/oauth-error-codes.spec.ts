import { describe, expect, it } from '@jest/globals';
import { AuthorizationServerError } from './authorization-server-error.js';

const TOKEN = 'eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJl';

describe('an error of the authorization server (RS-23)', () => {
  it.each([
    [400, 'invalid_client', 'authorization_server_refused'],
    [401, 'invalid_client', 'authorization_server_refused'],
    [403, 'access_denied', 'authorization_server_refused'],
    [408, 'slow_down', 'authorization_server_unavailable'],
    [429, 'slow_down', 'authorization_server_unavailable'],
    [503, 'temporarily_unavailable', 'authorization_server_unavailable'],
  ])('with status %i and the known code %s has this code in its reason', (status, error, code) => {
    const { code: told, reason, fields } = AuthorizationServerError.answered(status, error);
    expect([told, reason, fields]).toEqual([code, `answered_${status}_${error}`, {}]);
  });

  it.each(['Realm does not exist', 'some_code_that_keycloak_will_have_one_day', "can't: <b>"])(
    'with the unknown code %s has the code in its log fields, but not in its reason',
    (error) => {
      const told = AuthorizationServerError.answered(404, error);
      expect([told.reason, told.fields]).toEqual(['answered_404_other', { error }]);
      expect(told.message).not.toContain(error);
    },
  );

  it.each([
    ['a token', TOKEN],
    ['a token among words', `no ${TOKEN}`],
    ['a piece of a token', TOKEN.slice(0, 21)],
    ['a long text', 'word '.repeat(13)],
    ['a megabyte', 'x'.repeat(1024 * 1024)],
    ['a line break', 'one\ntwo'],
    ['a control character', 'one\u001b[31m'],
    ['a quote', 'say "x"'],
    ['a backslash', 'a\\b'],
    ['letters beyond ASCII', 'größer'],
    ['an empty text', ''],
    ['an object', { toString: () => 'invalid_client' } as unknown as string],
    ['undefined', undefined],
  ])('is not logged and is not part of the reason if it is %s', (_, error) => {
    const told = AuthorizationServerError.answered(400, error);
    expect([told.reason, told.fields]).toEqual(['answered_400_other', {}]);
  });
});
