import { randomUUID } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { StillClock } from '../../../../spec-support/still-clock.js';
import { SILENT } from '../../../resilience/component-log.js';
import { ConfigurationError } from '../../../protocol/configuration-faults.js';
import { IssuedToken } from '../../../protocol/issued-token.js';
import { tokenText } from '../../../testing/token-text.js';
import { SignalSourceError, type ConnectedSignalSource } from '../signal-source.js';
import { keycloakEvents, type KeycloakEventsOptions } from './keycloak-events.js';

const OVERLAP_MS = 10_000;
const PROOF_EVERY_MS = 5000;

interface Row {
  readonly id: string;
  readonly time: number;
  readonly [member: string]: unknown;
}

let server: Server;
let clock: StillClock;
let source: ConnectedSignalSource;
let asked: URL[];
let logins: number;
let log: { events: Row[]; 'admin-events': Row[] };
let settings: object;
let instead: (url: URL, authorization: string) => { status: number; body: string } | undefined;
let aheadMs: number;
let savesLogins: boolean;
let wrongByMs: number;
let visibleUntilMs: number;

const serverNow = (): number => clock.epochSeconds() * 1000 + aheadMs;
const base = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

function answer(response: ServerResponse, status: number, body: string): void {
  response.writeHead(status, { 'content-type': 'application/json' }).end(body);
}

beforeAll(async () => {
  server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', base());
    asked.push(url);
    const other = instead(url, request.headers.authorization ?? '');
    if (other !== undefined) return answer(response, other.status, other.body);
    const path = url.pathname.replace('/admin/realms/shop/', '');
    if (path === 'events/config') return answer(response, 200, JSON.stringify(settings));
    const types = url.searchParams.getAll('type');
    const [from, first, max] = ['dateFrom', 'first', 'max'].map((name) => Number(url.searchParams.get(name)));
    const rows = log[path as keyof typeof log]
      .filter(({ time }) => time >= (from ?? 0) && time <= visibleUntilMs)
      .filter(({ type }) => types.length === 0 || types.includes(String(type)))
      .slice(first, (first ?? 0) + (max ?? 0));
    return answer(response, 200, JSON.stringify(rows));
  });
  server.listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

beforeEach(() => {
  clock = new StillClock();
  [asked, logins, aheadMs, savesLogins] = [[], 0, 0, true];
  [wrongByMs, visibleUntilMs] = [0, Infinity];
  log = { events: [], 'admin-events': [] };
  settings = { eventsEnabled: true, enabledEventTypes: [], adminEventsEnabled: true };
  instead = () => undefined;
  source = connected();
});

function connected(options: KeycloakEventsOptions = {}, realmUrl = `${base()}/realms/shop`): ConnectedSignalSource {
  return keycloakEvents(options).connect({
    issuer: `${base()}/realms/shop`,
    realmUrl,
    clientId: 'reader',
    clock,
    serverSeconds: () => (logins === 0 ? clock.epochSeconds() : (serverNow() + wrongByMs) / 1000),
    isTrial: false,
    proofEveryMs: PROOF_EVERY_MS,
    log: SILENT,
    fetch: async (url, init) => fetch(url, init as RequestInit),
    login: async () => {
      logins += 1;
      const jti = `login-${randomUUID()}`;
      if (savesLogins) event('CLIENT_LOGIN', { clientId: 'reader', details: { token_id: jti } });
      return new IssuedToken(tokenText(jti), [], 60);
    },
  });
}

const event = (type: string, members: object = {}, time = serverNow()): void =>
  void log.events.push({ id: randomUUID(), time, type, ...members });
const change = (operationType: string, resourcePath: string): void =>
  void log['admin-events'].push({ id: randomUUID(), time: serverNow(), operationType, resourcePath });

const reasonOf = async (polling: Promise<unknown>): Promise<string> =>
  polling.then(
    () => 'none',
    (error: unknown) => {
      if (error instanceof SignalSourceError) return error.reason;
      throw error;
    },
  );

describe('keycloakEvents', () => {
  it('throws ConfigurationError for an issuer that is not a realm of Keycloak', () => {
    expect(() => connected({}, base())).toThrow(ConfigurationError);
  });

  it('returns a denial or a recheck for each event only once', async () => {
    event('LOGOUT', { sessionId: 's1' });
    change('UPDATE', 'users/u1');
    const occurredAtMs = serverNow();
    expect(await source.poll(0)).toEqual({
      denials: [{ sid: 's1' }],
      rechecks: [{ sub: 'u1' }],
      isWhole: true,
      isHealthy: true,
      occurredAtMs,
    });
    clock.advance(1);
    event('LOGOUT', { sessionId: 's2' });
    expect(await source.poll(1000)).toMatchObject({
      denials: [{ sid: 's2' }],
      rechecks: [],
      isWhole: true,
      isHealthy: false,
    });
    clock.advance(1);
    expect(await source.poll(1000)).toMatchObject({ denials: [], rechecks: [], occurredAtMs: undefined });
  });

  it.each([3_600_000, -3_600_000])('reads late events even if the clock of the server is %i ms ahead', async (ms) => {
    aheadMs = ms;
    await source.poll(0);
    clock.advance(4);
    event('LOGOUT', { sessionId: 'late' }, serverNow() - 9000);
    expect(await source.poll(4000)).toMatchObject({ denials: [{ sid: 'late' }] });
    const from = asked
      .filter(({ pathname }) => pathname.endsWith('/events'))
      .map((url) => Number(url.searchParams.get('dateFrom')));
    expect(from.at(-1)).toBe(serverNow() - 4000 - OVERLAP_MS);
  });

  it('logs in every five seconds, and returns a proof if its login is in the log', async () => {
    const healthy: boolean[] = [];
    for (let second = 0; second < 11; second += 1) {
      healthy.push((await source.poll(0)).isHealthy);
      clock.advance(1);
    }
    expect(healthy.flatMap((is, second) => (is ? second : []))).toEqual([0, 5, 10]);
    expect(logins).toBe(3);
  });

  it.each<[string, () => void]>([
    ['is empty', () => (savesLogins = false)],
    [
      'has only logins of other processes',
      () => {
        savesLogins = false;
        event('CLIENT_LOGIN', { clientId: 'reader', details: { token_id: 'of-another-replica' } });
        event('CLIENT_LOGIN', { clientId: 'reader' });
      },
    ],
  ])('returns no proof if the log %s', async (_, prepare) => {
    prepare();
    event('LOGOUT', { sessionId: 's1' });
    const first = await source.poll(0);
    expect(first).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true, isHealthy: false });
    expect(first.fault?.reason).toBe('own_login_not_seen');
    clock.advance(1);
    savesLogins = true;
    expect(await source.poll(0)).toMatchObject({ denials: [], isHealthy: true, fault: undefined });
  });

  it('finds new events even if the assumed time of the server is too late', async () => {
    await source.poll(0);
    wrongByMs = 60_000;
    clock.advance(1);
    event('LOGOUT', { sessionId: 's1' });
    expect(await source.poll(1000)).toMatchObject({ denials: [{ sid: 's1' }], isHealthy: false });
    clock.advance(PROOF_EVERY_MS / 1000);
    event('LOGOUT', { sessionId: 's2' });
    expect(await source.poll(1000)).toMatchObject({ denials: [{ sid: 's2' }], isHealthy: true });
  });

  it('reads the log since the last seen login, even after polls that found no login', async () => {
    await source.poll(0);
    visibleUntilMs = serverNow();
    clock.advance(PROOF_EVERY_MS / 1000);
    event('LOGOUT', { sessionId: 's1' });
    for (let second = 0; second < 30; second += 1) {
      expect(await source.poll(1000)).toMatchObject({ denials: [], isHealthy: false });
      clock.advance(1);
    }
    visibleUntilMs = Infinity;
    clock.advance(PROOF_EVERY_MS / 1000);
    const sinceMs = 1000 + PROOF_EVERY_MS;
    expect(await source.poll(sinceMs)).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true, isHealthy: true });
  });

  it('reads only the events of the requested period and of the overlap', async () => {
    await source.poll(0);
    clock.advance(300);
    await source.poll(1000);
    const from = asked
      .filter(({ searchParams }) => searchParams.has('dateFrom') && !searchParams.has('client'))
      .map(({ searchParams }) => Number(searchParams.get('dateFrom')));
    expect(from.at(-1)).toBe(serverNow() - 1000 - OVERLAP_MS);
  });

  it('returns each event only once, even if it reads the event again', async () => {
    await source.poll(0);
    savesLogins = false;
    event('LOGOUT', { sessionId: 's1' });
    const denials = [];
    for (let second = 0; second < 300; second += 1) {
      clock.advance(1);
      denials.push(...(await source.poll(1000)).denials);
    }
    expect(denials).toEqual([{ sid: 's1' }]);
  });

  it('reports a gap if the log was cleared', async () => {
    await source.poll(0);
    clock.advance(PROOF_EVERY_MS / 1000);
    log.events = [];
    expect(await source.poll(1000)).toMatchObject({ isWhole: false, isHealthy: false, fault: undefined });
    clock.advance(PROOF_EVERY_MS / 1000);
    expect(await source.poll(1000)).toMatchObject({ isWhole: true, isHealthy: true });
  });

  it('waits between its logins if no login appears in the log', async () => {
    savesLogins = false;
    for (let second = 0; second < 30; second += 1) {
      await source.poll(0);
      clock.advance(1);
    }
    expect(logins).toBeLessThan(10);
  });

  it.each<[object, string]>([
    [{ eventsEnabled: false, adminEventsEnabled: true }, 'events_disabled'],
    [{ eventsEnabled: true, adminEventsEnabled: false }, 'admin_events_disabled'],
    [{ eventsEnabled: true, adminEventsEnabled: true, enabledEventTypes: ['LOGIN', 'LOGOUT'] }, 'event_types_missing'],
    [{}, 'events_disabled'],
    [[], 'events_disabled'],
  ])('returns events but no proof if the settings are %j', async (given, reason) => {
    settings = given;
    event('LOGOUT', { sessionId: 's1' });
    const signals = await source.poll(0);
    expect(signals).toMatchObject({ denials: [{ sid: 's1' }], isHealthy: false });
    expect(signals.fault?.reason).toBe(reason);
  });

  it("reads the settings every minute, and whenever the log lacks the service's own login", async () => {
    const reads = (): number => asked.filter(({ pathname }) => pathname.endsWith('/events/config')).length;
    for (let second = 0; second < 59; second += 1) {
      await source.poll(0);
      clock.advance(1);
    }
    expect(reads()).toBe(1);
    clock.advance(1);
    await source.poll(0);
    expect(reads()).toBe(2);
    savesLogins = false;
    settings = { eventsEnabled: false, adminEventsEnabled: true };
    clock.advance(6);
    expect((await source.poll(0)).fault?.reason).toBe('own_login_not_seen');
    clock.advance(1);
    expect((await source.poll(0)).fault?.reason).toBe('events_disabled');
  });

  it('reports a gap if the realm did not save all events for a time', async () => {
    await source.poll(0);
    settings = { eventsEnabled: true, adminEventsEnabled: false };
    clock.advance(60);
    expect((await source.poll(0)).fault?.reason).toBe('admin_events_disabled');
    settings = { eventsEnabled: true, adminEventsEnabled: true };
    clock.advance(60);
    expect(await source.poll(0)).toMatchObject({ isWhole: false, isHealthy: false, fault: undefined });
    clock.advance(PROOF_EVERY_MS / 1000);
    expect(await source.poll(0)).toMatchObject({ isWhole: true, isHealthy: true });
  });

  it.each([401, 403, 404])(
    'rejects the poll with forbidden if the log answers %i, even after a new login',
    async (status) => {
      await source.poll(0);
      clock.advance(1);
      const before = logins;
      instead = () => ({ status, body: '{}' });
      expect(await reasonOf(source.poll(0))).toBe('forbidden');
      expect(logins).toBe(before + 1);
      instead = () => undefined;
      event('LOGOUT', { sessionId: 's1' });
      expect(await source.poll(0)).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true });
    },
  );

  it('repeats the poll immediately with a new token if the old token was revoked', async () => {
    await source.poll(0);
    clock.advance(1);
    let refused: string | undefined;
    instead = (_, authorization) => {
      refused ??= authorization;
      return authorization === refused ? { status: 401, body: '{}' } : undefined;
    };
    change('ACTION', 'logout-all');
    expect(await source.poll(0)).toMatchObject({ rechecks: ['everything'], isWhole: true, isHealthy: true });
  });

  it.each<[string, number, string]>([
    ['500', 500, '{}'],
    ['HTML', 200, '<html>'],
    ['an object', 200, '{"id":"1"}'],
    ['a list that contains a text', 200, '["LOGOUT"]'],
    ['more rows than requested', 200, JSON.stringify(Array.from({ length: 300 }, () => ({ id: 'x' })))],
  ])('rejects a poll that is answered with %s, and continues after the next valid answer', async (_, status, body) => {
    await source.poll(0);
    clock.advance(1);
    instead = ({ pathname }) => (pathname.endsWith('/admin-events') ? { status, body } : undefined);
    expect(await reasonOf(source.poll(0))).toBe('answered_unexpectedly');
    instead = () => undefined;
    event('LOGOUT', { sessionId: 's1' });
    expect(await source.poll(0)).toMatchObject({ denials: [{ sid: 's1' }], isWhole: true });
  });

  it('reads all events of several pages, and reports a gap after too many pages', async () => {
    await source.poll(0);
    clock.advance(1);
    for (let at = 0; at < 450; at += 1) event('LOGOUT', { sessionId: `s${at}` });
    const many = await source.poll(0);
    expect([many.denials.length, many.isWhole]).toEqual([450, true]);
    clock.advance(1);
    for (let at = 0; at < 12_500; at += 1) event('LOGOUT', { sessionId: `t${at}` });
    clock.advance(4);
    const tooMany = await source.poll(0);
    expect([tooMany.isWhole, tooMany.isHealthy]).toEqual([false, false]);
    expect(tooMany.denials.length).toBeGreaterThan(10_000);
  });

  it('requests the user events that end tokens, and all admin events', async () => {
    await source.poll(0);
    const ofUsers = asked.find((url) => url.searchParams.getAll('type').includes('LOGOUT'));
    expect(ofUsers?.searchParams.getAll('type')).toEqual([
      'LOGOUT',
      'REVOKE_GRANT',
      'USER_DISABLED_BY_PERMANENT_LOCKOUT',
      'DELETE_ACCOUNT',
    ]);
    const ofChanges = asked.find(({ pathname }) => pathname.endsWith('/admin-events'));
    expect(ofChanges?.searchParams.getAll('operationTypes')).toEqual([]);
  });
});

describe('keycloakEvents options', () => {
  it.each<[object, RegExp]>([
    [{ overlapSeconds: 0 }, /overlapSeconds must be a whole number from 1 to 120/],
    [{ overlap: 5 }, /unknown option "overlap"/],
  ])('rejects %j', (options, fault) => {
    expect(() => keycloakEvents(options as KeycloakEventsOptions)).toThrow(ConfigurationError);
    expect(() => keycloakEvents(options as KeycloakEventsOptions)).toThrow(fault);
  });
});
