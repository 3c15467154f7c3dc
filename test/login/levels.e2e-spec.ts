import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { startAuthorizationServer } from 'keycloak-test-servers';
import type { Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import {
  claimsOf,
  publicUrl,
  REALM_ENVIRONMENT,
  REALM_FILE,
} from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { describeOnKeycloak } from '../../libs/keycloak-test-servers/contract/describe-servers.js';
import {
  callbackParameters,
  codeOf,
  LoginBrowser,
  VERIFIER,
  type Parameters,
} from '../../libs/keycloak-test-servers/contract/login-browser.js';
import {
  introspect,
  textOf,
  token,
  type Asked,
  type Reply,
} from '../../libs/keycloak-test-servers/contract/requests.js';
import { clientIn, withRealm, type RealmFile } from '../support/realm-copy.js';

type Change = (realm: RealmFile) => unknown;
type WithRealm = (change: Change, use: (server: Asked) => Promise<unknown>) => Promise<unknown>;

const withEmbeddedRealm: WithRealm = async (change, use) => {
  const folder = await mkdtemp(join(tmpdir(), 'realm-'));
  const path = join(folder, 'realm.json');
  const realm = JSON.parse(await readFile(REALM_FILE, 'utf8')) as RealmFile;
  change(realm);
  await writeFile(path, JSON.stringify(realm));
  const server = await startAuthorizationServer({ realm: path, environment: REALM_ENVIRONMENT });
  try {
    return await use(server);
  } finally {
    await server.stop();
    await rm(folder, { recursive: true });
  }
};

const REDIRECT = { redirect_uri: `${publicUrl}/auth/callback` };

/** Sets the redirect URI, because a running Keycloak does not resolve a placeholder with a default value. */
const withOwnRealm: WithRealm = (change, use) =>
  withRealm((realm) => {
    Object.assign(clientIn(realm, 'service-a'), { redirectUris: [REDIRECT.redirect_uri] });
    change(realm);
  }, use);

class Alice {
  readonly #browser: LoginBrowser;

  constructor(private readonly server: Asked) {
    this.#browser = new LoginBrowser(server);
  }

  ask(changes: Parameters = {}): Promise<Page> {
    return this.#browser.authorize('service-a', { ...REDIRECT, ...changes });
  }

  async logIn(changes: Parameters = {}): Promise<Reply> {
    return this.redeem(await this.#browser.fill(await this.ask(changes), 'alice'));
  }

  async again(changes: Parameters = {}): Promise<Reply> {
    return this.redeem(await this.ask({ ...changes, prompt: 'none' }));
  }

  async isAskedFor(acr_values: string): Promise<boolean> {
    return callbackParameters(await this.ask({ acr_values, prompt: 'none' }))['error'] === 'login_required';
  }

  async redeem(reply: Reply): Promise<Reply> {
    const form = { grant_type: 'authorization_code', code: codeOf(reply), code_verifier: VERIFIER, ...REDIRECT };
    return token(this.server, form, 'service-a');
  }

  refresh(reply: Reply): Promise<Reply> {
    return token(
      this.server,
      { grant_type: 'refresh_token', refresh_token: textOf(reply, 'refresh_token') },
      'service-a',
    );
  }

  async introspected(reply: Reply): Promise<unknown> {
    return (await introspect(this.server, 'service-a', textOf(reply))).members['acr'];
  }
}

const acrOf = (reply: Reply): unknown => claimsOf(textOf(reply, 'id_token'))['acr'];

const SECONDS = { 'level 1 lasts as long as the login session': '9', 'level 2 lasts five minutes': '2' };

function agreeOn(withChanged: WithRealm): void {
  it('expire before a later single sign-on, but stay in refreshed tokens (RS-11)', async () => {
    const shorten: Change = ({ authenticatorConfig }) => {
      for (const [alias, seconds] of Object.entries(SECONDS)) {
        const config = authenticatorConfig.find((one) => one.alias === alias)?.config;
        if (config === undefined) throw new Error(`no configuration "${alias}"`);
        config['loa-max-age'] = seconds;
      }
    };
    const seen = await withChanged(shorten, async (server) => {
      const alice = new Alice(server);
      await alice.logIn();
      const stepped = await alice.logIn({ acr_values: '2' });
      const held = acrOf(await alice.again());
      await sleep(3500);
      const refreshed = await alice.refresh(stepped);
      const kept = [acrOf(refreshed), await alice.introspected(refreshed)];
      const sso = await alice.again();
      // Introspection reports the session's level, even for a token of another level.
      const after = [acrOf(sso), await alice.introspected(refreshed)];
      const asked = [await alice.isAskedFor('1'), await alice.isAskedFor('2')];
      await sleep(7000);
      return { held, kept, after, asked, atLast: [acrOf(await alice.again()), await alice.isAskedFor('1')] };
    });
    expect(seen).toEqual({
      held: '2',
      kept: ['2', '2'],
      after: ['1', '1'],
      asked: [false, true],
      atLast: ['0', true],
    });
  });

  it('require a new login in a realm without login flows, because single sign-on gives level 0 (RS-11)', async () => {
    const withoutLevels: Change = (realm) => {
      Object.assign(realm, { browserFlow: undefined, attributes: undefined });
      Object.assign(realm, {
        directGrantFlow: undefined,
        authenticationFlows: undefined,
        authenticatorConfig: undefined,
      });
    };
    const seen = await withChanged(withoutLevels, async (server) => {
      const alice = new Alice(server);
      const acrs = [acrOf(await alice.logIn()), acrOf(await alice.again())];
      for (const acr_values of ['1', '2', 'gold']) {
        acrs.push(await alice.isAskedFor(acr_values), acrOf(await alice.logIn({ acr_values })));
      }
      return acrs;
    });
    expect(seen).toEqual(['1', '0', true, '1', true, '1', true, '1']);
  });
}

describe('levels of authentication at the embedded server', () => {
  agreeOn(withEmbeddedRealm);
});
describeOnKeycloak('levels of authentication at Keycloak', () => {
  agreeOn(withOwnRealm);
});
