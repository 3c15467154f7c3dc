import { describe, expect, it } from '@jest/globals';
import type { RegisteredService } from '../../checkup/checkup-parts.js';
import { defaultScopeFindings } from './default-scope-findings.js';
import type { RealmClient, RealmScope, RealmSnapshot } from '../administrator/realm-snapshot.js';

const scope = (name: string, isInTokenScope = true): RealmScope => ({
  id: name,
  name,
  isOpenIdConnect: true,
  addsSubject: false,
  isInTokenScope,
  audiences: [],
});

const serviceWith = (scopes: RegisteredService['scopes']): RegisteredService =>
  ({ name: 'service-b', audience: 'service-b', scopes }) as RegisteredService;

function levels(defaultScopes: readonly string[], services: readonly RegisteredService[]): readonly string[] {
  const scopes = [scope('profile'), scope('basic', false), scope('orders.read'), scope('orders.approve')];
  const client = { clientId: 'service-a', defaultScopes } as RealmClient;
  return defaultScopeFindings({ scopes } as unknown as RealmSnapshot, client, services, ['profile']).map(
    ({ level }) => level,
  );
}

const asking = (...onBehalfOf: string[]): RegisteredService =>
  serviceWith({ asService: [], onBehalfOf, isByKind: true });

describe('a default client scope', () => {
  it.each<[string, readonly string[], readonly RegisteredService[], readonly string[]]>([
    ['causes an error if a call does not request the scope', ['orders.read'], [asking('orders.approve')], ['error']],
    [
      'causes an error if one of two calls does not request the scope',
      ['orders.read'],
      [asking('orders.read'), asking('orders.approve')],
      ['error'],
    ],
    ['causes an error if the scopes of a call are unknown', ['orders.read'], [serviceWith(undefined)], ['error']],
    [
      'causes a warning if each call requests the scope',
      ['orders.read'],
      [asking('orders.read orders.approve')],
      ['warning'],
    ],
    ['causes no finding if expectedDefaultScopes names the scope', ['profile'], [asking('orders.approve')], []],
    ['causes no finding if no token contains the scope', ['basic'], [asking('orders.approve')], []],
    ['causes no finding if the service makes no calls', ['orders.read'], [], []],
  ])('%s', (_, defaults, services, expected) => {
    expect(levels(defaults, services)).toEqual(expected);
  });
});
