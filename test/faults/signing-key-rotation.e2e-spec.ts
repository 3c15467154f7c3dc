import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { UserSessions } from '../../apps/service-a/src/login/user-sessions.js';
import { Browser, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import { connectToKeycloak, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startEmbeddedServer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import { keycloakReachesUs, publicUrl } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { logInAt } from '../support/login-at.js';
import { RunningServices } from '../support/running-services.js';

const junkToken = (iss: string, kid: string): string => {
  const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  const iat = Math.floor(Date.now() / 1000);
  const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
  const claims = { iss, aud: 'service-a', iat, exp: iat + 60, jti: kid, sid: 'x', events };
  return `${encode({ alg: 'RS256', typ: 'logout+jwt', kid })}.${encode(claims)}.c2lnbmF0dXJl`;
};

describe('a rotation of the signing keys', () => {
  let server: RunningAuthorizationServer;
  let chain: RunningServices;

  beforeAll(async () => {
    server = await startEmbeddedServer();
    chain = await RunningServices.start({ server, direct: true, variables: { PUBLIC_URL: publicUrl } });
  });
  afterEach(() => server.control.fault('jwks', undefined));
  afterAll(async () => {
    await chain.stop();
    await server.stop();
  });

  async function newSession(user: string): Promise<{ readonly browser: Browser; readonly sid: string }> {
    const browser = new Browser();
    const back = await logInAt(chain.a.url, browser, user);
    expect(back.status).toBe(303);
    const session = await chain.a.app.get(UserSessions).find(browser.cookie(chain.a.url, 'session'));
    return { browser, sid: session?.sessionId ?? '' };
  }
  const post = (logout_token: string): Promise<Page> =>
    new Browser().send(`${chain.a.url}/auth/backchannel-logout`, { method: 'POST', form: { logout_token } });
  const run = (browser: Browser): Promise<Page> => browser.send(`${chain.a.url}/run-service-b`);
  const home = async (browser: Browser): Promise<string> => (await browser.send(`${chain.a.url}/`)).text;

  it('lets users log in even if Service A has just fetched the old keys (BF-02)', async () => {
    await newSession('alice');
    await server.control.rotateSigningKeys();
    const { browser } = await newSession('alice');
    expect((await run(browser)).status).toBe(200);
  });

  it('lets logout notices end sessions, even during a flood of junk notices (BF-09)', async () => {
    const { browser, sid } = await newSession('alice');
    const before = server.control.calls.jwks;
    const startMs = performance.now();
    const junk = Promise.all(
      Array.from({ length: 50 }, (_, number) => post(junkToken(server.issuer, `junk-${number}`))),
    );
    await server.control.rotateSigningKeys();
    const [token, ...others] = await Promise.all(
      [sid, 'other-1', 'other-2'].map((about) =>
        server.control.logoutToken('service-a', { username: 'alice', sid: about }),
      ),
    );
    const answers = await Promise.all([token ?? '', ...others].map(post));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await home(browser)).not.toContain('Logged in as');
    expect((await junk).every(({ status }) => status === 400)).toBe(true);
    // The service fetches the keys at most once per second.
    const seconds = (performance.now() - startMs) / 1000;
    expect(server.control.calls.jwks - before).toBeLessThanOrEqual(Math.ceil(seconds) + 1);
  });

  it('makes Service A answer 503 to a logout notice and check its sessions if the keys are unavailable (BF-09, RS-14)', async () => {
    const [ended, other] = [await newSession('alice'), await newSession('bob')];
    await server.control.rotateSigningKeys();
    server.control.fault('jwks', { kind: 'status', status: 503 });
    const { token } = server.control.calls;
    const before = token.refresh_token;
    const startMs = performance.now();
    const lost = await post(await server.control.logoutToken('service-a', { username: 'alice', sid: ended.sid }));
    expect([lost.status, lost.headers.get('retry-after')]).toEqual([503, expect.stringMatching(/^\d+$/)]);
    server.control.endSession(ended.sid);
    expect(await home(ended.browser)).not.toContain('Logged in as');
    expect(await home(other.browser)).toContain('Logged in as <strong>bob</strong>');
    expect(token.refresh_token - before).toBe(2);
    await Promise.all(Array.from({ length: 20 }, (_, number) => post(junkToken(server.issuer, `again-${number}`))));
    for (let times = 0; times < 20; times += 1) await home(other.browser);
    const windows = 1 + Math.floor((performance.now() - startMs) / 10_000);
    expect(token.refresh_token - before).toBeLessThanOrEqual(1 + windows);
  });

  it('leads to 503 at a login if the keys are unavailable (RS-14)', async () => {
    await server.control.rotateSigningKeys();
    for (const [fault, status] of [
      [{ kind: 'status', status: 503 } as const, 503],
      [{ kind: 'html' } as const, 503],
      [{ kind: 'answer', status: 404, body: 'nobody here' } as const, 503],
      [{ kind: 'answer', body: { keys: [] } } as const, 503],
    ] as const) {
      server.control.fault('jwks', fault);
      const browser = new Browser();
      expect((await logInAt(chain.a.url, browser, 'alice')).status).toBe(status);
      expect(browser.cookie(chain.a.url, 'session')).toBeUndefined();
    }
    server.control.fault('jwks', undefined);
    await newSession('alice');
  });
});

const describeWhereKeycloakReachesUs = keycloakReachesUs ? describeOnKeycloak : describe.skip;

describeWhereKeycloakReachesUs('a rotation of the signing keys of a real Keycloak', () => {
  let keycloak: ContractServer;
  let chain: RunningServices;

  beforeAll(async () => {
    keycloak = await connectToKeycloak();
    chain = await RunningServices.start({ publicUrl });
  });
  afterAll(async () => {
    await chain.stop();
    await keycloak.stop();
  });

  /** The new key stays in the realm, since a removal would invalidate other specs' tokens. */
  async function rotate(priority: number): Promise<void> {
    const { id } = await keycloak.administrator.read<{ id: string }>('');
    await keycloak.administrator.create('/components', {
      name: `rotated-${priority}`,
      parentId: id,
      providerId: 'rsa-generated',
      providerType: 'org.keycloak.keys.KeyProvider',
      config: {
        priority: [String(priority)],
        enabled: ['true'],
        active: ['true'],
        algorithm: ['RS256'],
        keySize: ['2048'],
      },
    });
  }

  async function newSession(): Promise<{ readonly browser: Browser; readonly username: string }> {
    const username = await keycloak.newUser('order-manager');
    const browser = new Browser();
    expect((await logInAt(publicUrl, browser, username)).status).toBe(303);
    return { browser, username };
  }
  const home = async (browser: Browser): Promise<string> => (await browser.send(`${publicUrl}/`)).text;

  it('lets users log in, and lets logout notices end sessions (BF-02, BF-09)', async () => {
    const first = await newSession();
    const priority = Math.floor(Date.now() / 1000);
    await rotate(priority);
    const second = await newSession();
    expect(await home(second.browser)).toContain(second.username);
    await rotate(priority + 1);
    // Keycloak notifies Service A before it answers the administrator.
    await keycloak.logOutUser(first.username);
    expect(await home(first.browser)).not.toContain(first.username);
    expect(await home(second.browser)).toContain(second.username);
  });
});
