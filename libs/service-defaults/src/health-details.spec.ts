import { TerminusModule } from '@nestjs/terminus';
import { Test, type TestingModule } from '@nestjs/testing';
import { afterEach, describe, expect, it, jest } from '@jest/globals';
import { KeycloakStatus } from 'nestjs-keycloak-s2s';
import { KeycloakTestingModule } from 'nestjs-keycloak-s2s/testing';
import { DependencyChecks } from './dependency-checks.js';
import { HealthDetails, SERVICE_VERSION } from './health-details.js';

const DAY_MS = 86_400_000;
const observeUntil = new Date(Date.now() + 10 * DAY_MS).toISOString().slice(0, 10);
const SILENT = { log: () => undefined, warn: () => undefined, error: () => undefined };

describe('HealthDetails', () => {
  let module: TestingModule;

  afterEach(async () => {
    jest.restoreAllMocks();
    await module.close();
  });

  async function detailsOf(options: object): Promise<HealthDetails> {
    module = await Test.createTestingModule({
      imports: [KeycloakTestingModule.forRoot(options), TerminusModule.forRoot({ logger: false })],
      providers: [
        HealthDetails,
        { provide: DependencyChecks, useValue: { read: async () => ({ states: {}, checkedSecondsAgo: 0 }) } },
        { provide: SERVICE_VERSION, useValue: 'dev' },
      ],
    })
      .setLogger(SILENT)
      .compile();
    return module.get(HealthDetails);
  }

  it('report that access is enforced', async () => {
    const details = await detailsOf({});
    expect((await details.read()).details['enforcement']).toEqual({ status: 'up', mode: 'enforce' });
  });

  it('report expired introspection results only if they are permitted', async () => {
    const without = await detailsOf({});
    expect((await without.read()).details).not.toHaveProperty('staleIntrospections');
    await module.close();
    const details = await detailsOf({ introspectionStaleIfErrorSeconds: 60 });
    expect((await details.read()).details['staleIntrospections']).toEqual({ status: 'up', maxSeconds: 60 });
    const status = module.get(KeycloakStatus, { strict: false });
    const staleIntrospections = { maxSeconds: 60, inUseSeconds: 5 };
    jest.spyOn(status, 'read').mockReturnValue({ ...status.read(), staleIntrospections });
    expect((await details.read()).details['staleIntrospections']).toMatchObject({
      status: 'up',
      inUseSeconds: 5,
      warning: expect.stringContaining('in use'),
    });
  });

  it('report a service that only observes, and have the status down after observeUntil', async () => {
    const details = await detailsOf({ enforcement: 'observe', observeUntil });
    const warning = expect.stringContaining('NOT enforced');
    const observed = { warning, mode: 'observe', until: observeUntil, refusals: [], startFaults: [] };
    const { details: read } = await details.read();
    expect(read['enforcement']).toMatchObject({ ...observed, status: 'up', isOverdue: false });
    jest.spyOn(Date, 'now').mockReturnValue(Date.now() + 12 * DAY_MS);
    await expect(details.read()).rejects.toMatchObject({
      response: { error: { enforcement: { ...observed, status: 'down', isOverdue: true } } },
    });
  });
});
