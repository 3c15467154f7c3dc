import { describe, expect, it } from '@jest/globals';
import { actorField, readActor } from './actor.js';

const chainOf = (length: number): object => {
  let act: object | undefined;
  for (let at = length; at > 0; at -= 1) act = { sub: `actor-${at}`, ...(act === undefined ? {} : { act }) };
  return act ?? {};
};

const ISSUER = 'https://keycloak.example.com/realms/test';

describe('readActor', () => {
  it('reads the current actor and the actors before it (RFC 8693 section 4.1)', () => {
    const act = {
      iss: ISSUER,
      sub: 'agent-id',
      client_id: 'agent',
      preferred_username: 'ignored',
      act: { sub: 'clerk-id' },
    };
    expect(readActor(act)).toEqual({
      issuer: ISSUER,
      subject: 'agent-id',
      clientId: 'agent',
      previous: { subject: 'clerk-id' },
    });
    expect(Object.isFrozen(readActor(act)?.previous)).toBe(true);
  });

  it('reads an actor that names only its client', () => {
    expect(readActor({ client_id: 'agent' })).toEqual({ clientId: 'agent' });
  });

  it('reads a chain of eight actors, and refuses a longer chain', () => {
    expect(JSON.stringify(readActor(chainOf(8)))).toContain('actor-8');
    expect(readActor(chainOf(9))).toBeUndefined();
    expect(readActor(chainOf(1000))).toBeUndefined();
  });

  it.each<[string, unknown]>([
    ['a text', 'agent'],
    ['a list', [{ sub: 'agent' }]],
    ['null', null],
    ['true', true],
    ['an object without sub and client_id', { iss: ISSUER }],
    ['an empty sub', { sub: '' }],
    ['a number as sub', { sub: 7 }],
    ['a sub of 256 characters', { sub: 'a'.repeat(256) }],
    ['a sub that is inherited', Object.create({ sub: 'agent' })],
    ['an empty iss', { sub: 'agent', iss: '' }],
    ['a list as iss', { sub: 'agent', iss: [ISSUER] }],
    ['null as client_id', { sub: 'agent', client_id: null }],
    ['a client_id of 256 characters', { sub: 'agent', client_id: 'a'.repeat(256) }],
    ['a malformed earlier actor', { sub: 'agent', act: { sub: '' } }],
    ['null as earlier actor', { sub: 'agent', act: null }],
  ])('refuses %s', (_, act) => {
    expect(readActor(act)).toBeUndefined();
  });
});

describe('actorField', () => {
  it('names the members as the log names the claims of the caller', () => {
    const previous = { subject: 'clerk-id' };
    expect(actorField({ issuer: ISSUER, subject: 'agent-id', clientId: 'agent', previous })).toEqual({
      actor: { iss: ISSUER, azp: 'agent', sub: 'agent-id', actor: { sub: 'clerk-id' } },
    });
    expect(actorField(undefined)).toEqual({});
  });
});
