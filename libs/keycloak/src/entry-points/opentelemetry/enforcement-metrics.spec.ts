import { readFileSync } from 'node:fs';
import { metrics } from '@opentelemetry/api';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { pointsOf, RecordedTelemetry } from '../../../spec-support/recorded-telemetry.js';
import { composeKeycloak } from '../../module/compose-keycloak.js';
import { BearerError } from '../../protocol/bearer-error.js';
import { measureStatus } from './status-metrics.js';

const OPTIONS = { issuer: 'https://sso.example.com/realms/shop', clientId: 'orders', clientSecret: 'hush' };
const observeUntil = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);

const refuse = (azp?: string) => (): never => {
  throw new BearerError('invalid_token', { reason: 'other_audience', fields: { azp } });
};

let recorded: RecordedTelemetry;
beforeAll(() => {
  recorded = RecordedTelemetry.start();
});
afterAll(() => recorded.stop());

async function measured(options: object): Promise<(name: string) => unknown> {
  const { status, judgements } = composeKeycloak({ ...OPTIONS, ...options });
  for (const azp of ['web', 'web', undefined]) {
    judgements?.observe(refuse(azp), () => ({ route: 'GET /orders/:id', fields: {} }));
  }
  judgements?.observe(
    () => 'a verified token',
    () => ({ route: '', fields: {} }),
  );
  const end = measureStatus(metrics.getMeter('spec'), () => [status.read()]);
  const points = await recorded.metrics();
  end();
  judgements?.end();
  return (name) => pointsOf(points.get(`keycloak_s2s.${name}`));
}

const outcome = (name: string) => ({ 'keycloak_s2s.outcome': name });
const state = (name: string) => ({ 'keycloak_s2s.state': name });

describe('the metrics of the option enforcement', () => {
  it('contain only the state, and no observed calls, if the mode is enforce', async () => {
    const points = await measured({});
    expect(points('enforcement.state')).toEqual([
      [state('enforce'), 1],
      [state('observe'), 0],
    ]);
    expect([points('observed.judgements'), points('observed.refusals')]).toEqual([[], []]);
  });

  it('report the number of checked calls, and the refusals by code, reason, route and client', async () => {
    const points = await measured({ enforcement: 'observe', observeUntil });
    expect(points('enforcement.state')).toEqual([
      [state('enforce'), 0],
      [state('observe'), 1],
    ]);
    expect(points('observed.judgements')).toEqual([
      [outcome('admitted'), 1],
      [outcome('refused'), 3],
      [outcome('refused_by_both'), 0],
      [outcome('dropped'), 0],
    ]);
    const refusal = {
      'keycloak_s2s.code': 'invalid_token',
      'keycloak_s2s.reason': 'other_audience',
      'keycloak_s2s.route': 'GET /orders/:id',
    };
    expect(points('observed.refusals')).toEqual([
      [{ ...refusal, 'keycloak_s2s.client': 'web' }, 2],
      [refusal, 1],
    ]);
  });

  it('are documented with all attributes in docs/metrics.md', async () => {
    const documented = readFileSync(new URL('../../../../../docs/metrics.md', import.meta.url), 'utf8');
    const points = await measured({ enforcement: 'observe', observeUntil });
    for (const name of ['enforcement.state', 'observed.judgements', 'observed.refusals']) {
      const row = documented.split('\n').find((line) => line.includes(`\`keycloak_s2s.${name}\``));
      const attributes = (points(name) as [object, number][]).flatMap(([each]) => Object.keys(each));
      for (const attribute of new Set(attributes)) expect(row).toContain(`\`${attribute}\``);
    }
  });
});
