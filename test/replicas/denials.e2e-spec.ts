import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { RevocationList } from 'nestjs-keycloak-s2s';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { logout } from '../../libs/keycloak-test-servers/contract/requests.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { newSession, type Session } from '../support/new-session.js';
import type { RunningService } from '../support/running-service.js';
import { RunningServices, ttl } from '../support/running-services.js';

const key = (): string => randomBytes(32).toString('base64');
const KEYS = { SHARED_DENIAL_KEYS: `${key()}, ${key()}`, SHARED_STATE_KEYS: key() };

let keycloak: ContractServer;
let valkey: Valkey;
let a: RunningService;
let replicasOfB: RunningService[];
const started: RunningServices[] = [];

/** Starts a service with a long ttl, so no refusal comes from an expired result. */
async function start(name: string): Promise<RunningService> {
  const services = await RunningServices.start({
    only: [name],
    server: keycloak,
    direct: true,
    variables: { ...ttl(300), ...KEYS, SHARED_STATE_URL: valkey.urlOf(name) },
  });
  started.push(services);
  return services.at(name);
}

const listOf = ({ app }: RunningService): RevocationList => app.get(RevocationList, { strict: false });

async function answers(services: readonly RunningService[], token: string): Promise<unknown[]> {
  const all = await Promise.all(services.map((service) => service.whoami(token)));
  return all.map(({ status, reason }) => (reason === undefined ? status : reason));
}

async function become(services: readonly RunningService[], token: string, wanted: unknown): Promise<void> {
  while (!(await answers(services, token)).every((answer) => answer === wanted)) await sleep(10);
}

const ready = async ({ url }: RunningService): Promise<[number, unknown]> => {
  const response = await fetch(`${url}/health/ready`);
  return [response.status, ((await response.json()) as { details: { denials?: unknown } }).details.denials];
};

const onValkey = valkeyPath === undefined ? describe.skip : describe;

onValkey('replicas that share denials over Valkey', () => {
  let session: Session;

  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
    keycloak = await connectToKeycloak();
    replicasOfB = [await start('service-b'), await start('service-b')];
    a = await start('service-a');
  });
  afterAll(async () => {
    for (const services of started.toReversed()) await services.stop();
    await keycloak.stop();
    await valkey.remove();
  });
  beforeEach(async () => {
    session = await newSession(keycloak);
    await become(replicasOfB, session.atB, 200);
  });

  it('refuse the tokens of a session that another service has denied, even at a later replica (RS-13)', async () => {
    listOf(a).deny({ sid: session.sid });
    await become(replicasOfB, session.atB, 'revoked');
    const late = await start('service-b');
    expect(await answers([late], session.atB)).toEqual(['revoked']);
    expect(await ready(late)).toEqual([200, { status: 'up' }]);
  });

  it('refuse a token after a recheck only if its session has ended', async () => {
    listOf(a).recheck({ sid: session.sid });
    await sleep(100);
    expect(await answers(replicasOfB, session.atB)).toEqual([200, 200]);
    expect((await logout(keycloak, session.refreshToken)).status).toBe(204);
    expect(await answers(replicasOfB, session.atB)).toEqual([200, 200]);
    listOf(a).recheck({ sid: session.sid });
    await become(replicasOfB, session.atB, 'inactive');
  });

  it('answer requests while Valkey is down, and apply denials when Valkey is up again', async () => {
    await valkey.kill();
    listOf(a).deny({ sid: session.sid });
    expect(await answers(replicasOfB, session.atB)).toEqual([200, 200]);
    const late = await start('service-b');
    expect(await ready(late)).toEqual([503, { status: 'down', code: 'not_read_yet' }]);
    await valkey.start();
    await become([...replicasOfB, late], session.atB, 'revoked');
    expect(await ready(late)).toEqual([200, { status: 'up' }]);
  });
});
