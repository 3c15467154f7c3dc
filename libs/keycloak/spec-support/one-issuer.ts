import type { Clock } from '../src/caching/clock.js';
import { ServiceAudiences } from '../src/client/service-audiences.js';
import { HeldDenials, type HeldDenialsOptions, type RevocationLog } from '../src/revocation/held-denials.js';
import { Rechecks } from '../src/revocation/rechecks.js';
import { RevocationList } from '../src/revocation/revocation-list.js';

export const ISSUER = 'https://sso.example.com/realms/shop';

export function revocationList(
  options: HeldDenialsOptions & { readonly introspectionTtlSeconds: number },
  clock: Clock,
  log: RevocationLog = { warn: () => undefined },
): RevocationList {
  const denials = new HeldDenials(options, clock, log);
  return new RevocationList([
    { issuer: ISSUER, denials, rechecks: new Rechecks(options.introspectionTtlSeconds * 1000, clock) },
  ]);
}

export const audience = (service: string, clientId = service): ServiceAudiences =>
  new ServiceAudiences(service, { issuer: ISSUER, audiences: { [ISSUER]: clientId } }, true);
