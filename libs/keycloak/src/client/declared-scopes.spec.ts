import { describe, expect, it } from '@jest/globals';
import { composeKeycloak } from '../module/compose-keycloak.js';
import type { ServiceOptions } from '../index.js';
import { DeclaredScopes } from './declared-scopes.js';

const keycloak = composeKeycloak({
  issuer: 'https://sso.example.com/realms/shop',
  clientId: 'service-a',
  clientSecret: 'a-secret-of-its-own-4711',
});
const clientWith = (scopes: unknown) =>
  keycloak.service('ledger', {
    baseUrl: 'https://ledger.internal',
    audience: 'ledger',
    scopes: scopes as ServiceOptions['scopes'],
  } as ServiceOptions);

describe('scopes of a service', () => {
  it('are free where none are declared', () => {
    expect(() => clientWith(undefined).asSelf('whatever')).not.toThrow();
  });

  it('hold every kind of call, where they are a list', () => {
    const client = clientWith(['ledger.read', 'ledger.write']);
    expect(() => client.asSelf('ledger.write ledger.read')).not.toThrow();
    expect(() => client.asSelf('ledger.read ledger.delete')).toThrow(
      new TypeError(
        'ledger: asSelf(…) asks for the scope "ledger.delete", which is not among the scopes it is registered with',
      ),
    );
    expect(() => client.onBehalfOf(undefined as never, 'ledger.delete')).toThrow(/onBehalfOf.*"ledger.delete"/);
  });

  it('hold each kind of call apart, where they are given by kind', () => {
    const client = clientWith({ onBehalfOf: ['ledger.read'] });
    expect(() => client.asSelf('ledger.read')).toThrow(TypeError);
    expect(() => clientWith({}).asSelf('ledger.read')).toThrow(TypeError);
  });

  it('hold the calls of doors, too', () => {
    const options = { baseURL: 'https://ledger.internal', audience: 'ledger', scopes: ['ledger.read'] };
    const client = keycloak.service('ledger', options, { module: 'a door', baseUrl: 'baseURL' });
    expect(() => client.asSelf('ledger.read')).not.toThrow();
    expect(() => client.asSelf('ledger.write')).toThrow(TypeError);
    expect(() => client.onBehalfOf(undefined as never, 'ledger.write')).toThrow(TypeError);
  });

  it.each([
    ['a text', 'ledger.read', 'scopes must be a list of scope tokens, or { asSelf, onBehalfOf }'],
    ['a set in one text', ['ledger.read ledger.write'], 'scopes must be a list of scope tokens'],
    ['a set of one kind', { asSelf: 'ledger.read' }, 'scopes.asSelf must be a list of scope tokens'],
    ['another kind', { asUser: [] }, 'scopes has an unknown member "asUser"'],
    ['null', null, 'scopes must be a list of scope tokens, or { asSelf, onBehalfOf }'],
  ])('are refused at boot as %s', (_, scopes, fault) => {
    expect(() => clientWith(scopes)).toThrow(fault);
  });

  it('remember a bounded number of what was accepted, and refuse the same thing twice', () => {
    const declared = new DeclaredScopes('ledger', { asSelf: ['a'], onBehalfOf: [] });
    for (let at = 0; at < 3000; at += 1) declared.canonical('asSelf', `a${' '.repeat(at)}`);
    for (const _ of [1, 2]) expect(() => declared.canonical('asSelf', 'b')).toThrow('"b"');
  });
});
