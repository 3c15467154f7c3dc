import { describe, expect, it } from '@jest/globals';
import { chooseServer, isUrl } from './server-choice.js';

describe('the choice of the authorization server', () => {
  const KINDS = ['embedded', 'keycloak', 'docker', 'distribution', 'available'];

  it.each([...KINDS, 'http://localhost:8180', 'https://sso.example.com/realms/shop'])(
    'is %s, from the caller or from the variable',
    (choice) => {
      expect(chooseServer(choice, {})).toEqual({ choice, madeBy: `the choice=${choice}` });
      const madeBy = `AUTHORIZATION_SERVER=${choice}`;
      expect(chooseServer(undefined, { AUTHORIZATION_SERVER: choice })).toEqual({ choice, madeBy });
    },
  );

  it('is the choice of the caller, even if AUTHORIZATION_SERVER contains another choice', () => {
    expect(chooseServer('embedded', { AUTHORIZATION_SERVER: 'docker' })).toMatchObject({ choice: 'embedded' });
    expect(chooseServer('embedded', { AUTHORIZATION_SERVER: 'podman' })).toMatchObject({ choice: 'embedded' });
  });

  it.each([{}, { AUTHORIZATION_SERVER: '' }])('is the embedded server by default (%j)', (environment) => {
    expect(chooseServer(undefined, environment)).toMatchObject({ choice: 'embedded' });
  });

  it.each(['podman', 'localhost:8080', 'ftp://localhost', 'https://', 'toString'])(
    'cannot be %j, and the error names the allowed values and the source',
    (wrong) => {
      const values = /"; it must be one of embedded, keycloak, docker, distribution, available, or an http\(s\) URL/;
      expect(() => chooseServer(wrong, {})).toThrow(RangeError);
      expect(() => chooseServer(wrong, {})).toThrow(/^the choice is "/);
      expect(() => chooseServer(undefined, { AUTHORIZATION_SERVER: wrong })).toThrow(/^AUTHORIZATION_SERVER is "/);
      expect(() => chooseServer(undefined, { AUTHORIZATION_SERVER: wrong })).toThrow(values);
    },
  );

  it('is refused if the caller passes an empty text', () => {
    expect(() => chooseServer('', {})).toThrow(RangeError);
  });

  it.each(KINDS)('is not a URL: %s', (kind) => {
    expect(isUrl(kind)).toBe(false);
  });
});
