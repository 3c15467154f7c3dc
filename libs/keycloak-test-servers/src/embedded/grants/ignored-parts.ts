import { ignoredMappers } from './ignored-mappers.js';
import { describeIgnored } from '../realm/ignored-part.js';
import { ignoredSettings } from '../realm/ignored-settings.js';
import type { Realm } from '../realm/realm.js';

/** Reports, in one line, the parts of the realm file that Keycloak uses and this server ignores. */
export function reportIgnored(realm: Realm, json: unknown, report: ((line: string) => void) | undefined): void {
  const ignored = describeIgnored([...ignoredMappers(realm), ...ignoredSettings(json)]);
  if (ignored === '') return;
  const cure = 'To use them, start a real Keycloak (AUTHORIZATION_SERVER=keycloak).';
  report?.(`The embedded server ignores these parts of the realm ${realm.name}: ${ignored}. ${cure}`);
}
