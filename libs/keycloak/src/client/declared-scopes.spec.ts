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

describe('the declared scopes of a service', () => {
  it('allow calls with any scope if no scopes are declared', () => {
    expect(() => clientWith(undefined).asService('whatever')).not.toThrow();
  });

  it('limit all kinds of calls if the service declares one list of scopes', () => {
    const client = clientWith(['ledger.read', 'ledger.write']);
    expect(() => client.asService('ledger.write ledger.read')).not.toThrow();
    expect(() => client.asService('ledger.read ledger.delete')).toThrow(
      new TypeError(
        'ledger: asService(…) asks for the scope "ledger.delete", but the service is registered without it',
      ),
    );
    expect(() => client.onBehalfOf(undefined as never, 'ledger.delete')).toThrow(/onBehalfOf.*"ledger.delete"/);
  });

  it('do not allow a scope that was declared only for another kind of call', () => {
    const client = clientWith({ onBehalfOf: ['ledger.read'] });
    expect(() => client.asService('ledger.read')).toThrow(TypeError);
    expect(() => clientWith({}).asService('ledger.read')).toThrow(TypeError);
  });

  it('also limit the calls of a client that another entry point creates', () => {
    const options = { baseURL: 'https://ledger.internal', audience: 'ledger', scopes: ['ledger.read'] };
    const client = keycloak.service('ledger', options, { module: 'AnotherModule', baseUrl: 'baseURL' });
    expect(() => client.asService('ledger.read')).not.toThrow();
    expect(() => client.asService('ledger.write')).toThrow(TypeError);
    expect(() => client.onBehalfOf(undefined as never, 'ledger.write')).toThrow(TypeError);
  });

  it.each([
    ['a text', 'ledger.read', 'scopes must be a list of scope tokens, or { asService, onBehalfOf }'],
    ['several scopes in one text', ['ledger.read ledger.write'], 'scopes must be a list of scope tokens'],
    ['a text for one kind of call', { asService: 'ledger.read' }, 'scopes.asService must be a list of scope tokens'],
    ['an unknown kind of call', { asUser: [] }, 'scopes has an unknown member "asUser"'],
    ['null', null, 'scopes must be a list of scope tokens, or { asService, onBehalfOf }'],
  ])('are rejected at boot if the declared scopes are %s', (_, scopes, fault) => {
    expect(() => clientWith(scopes)).toThrow(fault);
  });

  it('reject an undeclared scope even after thousands of spellings of a declared scope', () => {
    const declared = new DeclaredScopes('ledger', { asService: ['a'], onBehalfOf: [] });
    for (let at = 0; at < 3000; at += 1) declared.canonical('asService', `a${' '.repeat(at)}`);
    for (const _ of [1, 2]) expect(() => declared.canonical('asService', 'b')).toThrow('"b"');
  });
});
