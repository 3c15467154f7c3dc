import { metrics } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pointsOf, RecordedTelemetry } from '../../../spec-support/recorded-telemetry.js';
import { composeKeycloak } from '../../module/compose-keycloak.js';
import { measureStatus } from './status-metrics.js';

const [OWN, PARTNER] = ['https://sso.example.com/realms/shop', 'https://sso.partner.example/realms/partner'] as const;

let recorded: RecordedTelemetry;
beforeAll(() => {
  recorded = RecordedTelemetry.start();
});
afterAll(() => recorded.stop());

describe('measureStatus with several issuers', () => {
  it('labels the metrics of every issuer except the first issuer', async () => {
    const clientSecret = 'hush';
    const { status } = composeKeycloak({
      issuers: [
        { issuer: OWN, clientId: 'orders', clientSecret },
        { issuer: PARTNER, clientId: 'orders', clientSecret, acceptedScopes: [] },
      ],
    });
    const end = measureStatus(metrics.getMeter('spec'), () => [status.read()]);
    const running = pointsOf((await recorded.metrics()).get('keycloak_s2s.calls.running'));
    end();
    const ofIntrospection = running.filter(([attributes]) => Object.values(attributes).includes('introspection'));
    const own = { 'keycloak_s2s.called': 'authorization_server', 'keycloak_s2s.calls': 'introspection' };
    expect(ofIntrospection).toEqual([
      [own, 0],
      [{ ...own, 'keycloak_s2s.issuer': PARTNER }, 0],
    ]);
  });
});
