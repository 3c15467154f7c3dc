/** In Keycloak, an offline session has the session id of the online session. */
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { redeem, refreshAt, tokensFor } from '../../libs/keycloak-test-servers/contract/code-cases.js';
import { claimsOf } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { codeOf, LoginBrowser } from '../../libs/keycloak-test-servers/contract/login-browser.js';
import { exchangeForB, post, textOf, type Reply } from '../../libs/keycloak-test-servers/contract/requests.js';
import { callerOf, type ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { keycloakEvents } from '../../libs/keycloak/src/entry-points/signals/index.js';
import { hasAccounts } from '../support/account-acts.js';
import { FollowedService } from '../support/followed-service.js';
import { isActiveAtKeycloak } from '../support/session-subject.js';
import { READER, startSignalsRealm } from '../support/signals-realm.js';

// The embedded server has no offline sessions.
(hasAccounts() ? describe : describe.skip)('an offline session', () => {
  let server: ContractServer;
  let service: FollowedService;

  beforeAll(async () => {
    server = await startSignalsRealm();
    service = await FollowedService.start(server, { clientId: READER, source: keycloakEvents(), shortSeconds: 2 });
  });
  afterAll(async () => {
    await service.stop();
    await server.stop();
  });

  interface Sessions {
    readonly client: string;
    readonly online: Reply;
    readonly offline: Reply;
  }

  async function sessions(): Promise<Sessions> {
    const [username, client] = [
      await server.newUser('order-manager'),
      await server.newClient('web with offline access'),
    ];
    const browser = new LoginBrowser(server);
    const online = await tokensFor(server, client, browser, username);
    const scope = 'openid orders.read orders.approve offline_access';
    const offline = await redeem(server, client, codeOf(await browser.authorize(client, { scope })));
    for (const tokens of [online, offline]) expect(await service.outcomeOf(textOf(tokens))).toBe('accepted');
    expect(claimsOf(textOf(offline))['sid']).toBe(claimsOf(textOf(online))['sid']);
    return { client, online, offline };
  }

  const logOut = (client: string, tokens: Reply): Promise<Reply> =>
    post(server, '/logout', { refresh_token: textOf(tokens, 'refresh_token') }, callerOf(client));

  async function expectRefused(online: Reply, offline: Reply): Promise<void> {
    for (const tokens of [online, offline]) await service.untilRefused(textOf(tokens));
    expect([await service.outcomeOf(textOf(online)), await service.outcomeOf(textOf(offline))]).toEqual([
      'revoked',
      'inactive',
    ]);
    expect(await isActiveAtKeycloak(server, textOf(online))).toBe(false);
  }

  it('stays active after a logout of the online session, even if the offline token was exchanged (RS-13)', async () => {
    const { client, online, offline } = await sessions();
    const exchanged = await exchangeForB(server, textOf(offline));
    await logOut(client, online);
    await service.untilRefused(textOf(online));
    expect(await service.outcomeOf(textOf(online))).toBe('revoked');
    expect(await service.outcomeOf(textOf(offline))).toBe('accepted');
    expect(await service.outcomeOf(textOf(await refreshAt(server, client, offline)))).toBe('accepted');
    // `ft` marks a token that was exchanged in an offline session.
    expect(claimsOf(exchanged)['jti']).toMatch(/^ft/);
    expect(await isActiveAtKeycloak(server, textOf(offline))).toBe(true);
  });

  it('ends together with the online session after a logout with the offline refresh token (RS-13)', async () => {
    const { client, online, offline } = await sessions();
    await logOut(client, offline);
    await expectRefused(online, offline);
  });

  it('ends together with the online session if an administrator ends the offline session (RS-13)', async () => {
    const { online, offline } = await sessions();
    await server.administrator.change('DELETE', `/sessions/${String(claimsOf(textOf(offline))['sid'])}?isOffline=true`);
    await expectRefused(online, offline);
  });
});
