import { keycloakRefusalHint } from '../protocol/keycloak-refusals.js';
import type { KeycloakException } from '../protocol/keycloak-exception.js';
import { error, type Finding } from './finding.js';
import { wordsOf } from './refusal-words.js';

export function realmRefusal(failure: KeycloakException): Finding | undefined {
  const { description } = failure.fields;
  const cure = keycloakRefusalHint(failure.fields);
  if (cure === undefined) return undefined;
  if (description === 'HTTPS required') {
    return error('tls', `The realm requires https: and refuses requests over http: ${wordsOf(failure)}.`, cure);
  }
  if (description === 'Realm not enabled') {
    return error('realm', `The realm is disabled: ${wordsOf(failure)}.`, cure);
  }
  return undefined;
}
