import type { ServiceAConfig } from '../config.js';
import { MemorySessionStore } from './memory-session-store.js';
import type { SessionStore } from './session-store.js';
import { SealedSessions } from './valkey/sealed-sessions.js';
import { ValkeySessionStore } from './valkey/valkey-session-store.js';

export const SESSION_STORE = Symbol('service-a:session-store');

export function sessionStoreOf({ login, keycloak, sharedState }: ServiceAConfig): SessionStore {
  if (sharedState === undefined) return new MemorySessionStore(login);
  const { issuer, clientId } = keycloak;
  const sealed = new SealedSessions(sharedState.keys, issuer, clientId);
  return new ValkeySessionStore(sharedState.valkey, sealed, login, { issuer, clientId });
}
