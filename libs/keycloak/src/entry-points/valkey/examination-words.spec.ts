import { describe, expect, it } from '@jest/globals';
import { missingRight, placeOf, serverFault } from './examination-words.js';

const at = (url: string) => ({ url: new URL(url) });

describe('examination words', () => {
  it.each([
    ['valkey://valkey.internal', 'Valkey at valkey.internal:6379, database 0'],
    ['valkeys://user:hush@valkey.internal:7000/2', 'Valkey at valkey.internal:7000, database 2'],
  ])('name the server and the database of %s', (url, place) => {
    expect(placeOf(at(url))).toBe(place);
  });

  it.each([
    [['get', '~a:*'], 'the commands get and the keys ~a:*'],
    [['get', 'set'], 'the commands get, set'],
    [['~a:*'], 'the keys ~a:*'],
  ])('name the rights %j that the user lacks', (rights, words) => {
    const { message } = missingRight(at('valkey://orders%2B1@valkey'), rights);
    expect(message).toMatch(`the user orders+1 has no right to ${words}.`);
  });

  it.each([
    ['wrongpass', /refuses the user default or its password \(wrongpass\)/, /Compare the user/],
    ['noauth', /refuses the user default or its password \(noauth\)/, /Compare the user/],
    ['noperm', /lacks a right that each connection needs/, /Give the user the rights/],
    ['maxmemory_policy_must_be_noeviction', /evicts entries/, /noeviction/],
    ['cert_has_expired', /not trusted \(cert_has_expired\)/, /SHARED_STATE_CA_FILE/],
    ['econnrefused', /is unreachable \(econnrefused\)/, /Start the server/],
  ])('explain the error %s, and advise the operator', (reason, message, cure) => {
    expect(serverFault(at('valkey://valkey'), reason)).toEqual({
      message: expect.stringMatching(message) as unknown,
      cure: expect.stringMatching(cure) as unknown,
    });
  });
});
