import { error, warning, type Finding } from '../../checkup/finding.js';
import type { RealmClient } from './realm-snapshot.js';

export function* clientFaults(own: RealmClient, exchanges: boolean): Iterable<Finding> {
  const { clientId } = own;
  if (!own.isEnabled) yield error('client', `${clientId} is disabled.`, `Enable the client ${clientId}.`);
  if (own.isPublic) {
    yield error('client', `${clientId} has no credentials.`, `Switch on Client authentication at ${clientId}.`);
  }
  if (exchanges && !own.mayExchange) {
    yield error(
      'client',
      `${clientId} may not exchange tokens, so it calls no service on behalf of callers.`,
      `Switch on "Standard token exchange" at the client ${clientId} (Capability config).`,
    );
  }
  if (own.hasFullScope) {
    yield warning(
      'client',
      `${clientId} has "Full scope allowed", so its tokens contain all roles of their user.`,
      `Switch it off at the client ${clientId} (Client scopes, dedicated scope, Scope).`,
    );
  }
}
