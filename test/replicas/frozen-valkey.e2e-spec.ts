import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { Valkey, valkeyPath } from '../../libs/keycloak/spec-support/valkey.js';
import { Browser, type Page } from '../../libs/keycloak-test-servers/contract/browser.js';
import { publicUrl, issuer } from '../../libs/keycloak-test-servers/contract/demo-realm.js';
import { logInAt } from '../support/login-at.js';
import { RunningServices, ttl } from '../support/running-services.js';
import { urlsAt } from '../support/valkey-urls.js';

const key = (): string => randomBytes(32).toString('base64');
const onValkey = valkeyPath === undefined ? describe.skip : describe;

onValkey('a session that ends at Keycloak while Valkey is frozen', () => {
  let valkey: Valkey;
  let chain: RunningServices;

  beforeAll(async () => {
    valkey = await Valkey.start(valkeyPath ?? '');
    const shared = {
      SHARED_DENIAL_KEYS: key(),
      SHARED_STATE_KEYS: key(),
    };
    // No service listens at this public URL, so Keycloak's logout notice is lost.
    chain = await RunningServices.start({
      variables: { ...ttl(1), ...shared, PUBLIC_URL: publicUrl },
      own: urlsAt(valkey, 'answers too'),
    });
  });
  afterAll(async () => {
    await chain.stop();
    await valkey.remove();
  });

  const get = (browser: Browser, path: string): Promise<Page> => browser.send(`${chain.a.url}${path}`);

  async function logOutAtKeycloak(browser: Browser): Promise<void> {
    const login = chain.keycloak.calls.findLast(({ form }) => form.get('grant_type') === 'authorization_code');
    const out = new URL(`${issuer()}/protocol/openid-connect/logout`);
    out.searchParams.set('id_token_hint', String(login?.answer['id_token']));
    await browser.send(out.href);
  }

  it.each(['/', '/run-service-b', '/refund'])(
    'is not used by the page %s after the introspection result of the token has expired (BF-09)',
    async (path) => {
      const browser = new Browser();
      await logInAt(chain.a.url, browser, 'alice');
      expect((await get(browser, '/')).text).toContain('Logged in as <strong>alice');
      valkey.freeze();
      try {
        await logOutAtKeycloak(browser);
        expect((await get(browser, path)).status).toBe(503);
      } finally {
        valkey.thaw();
      }
      let page = await get(browser, path);
      while (page.status === 503 || /(Logged in|Called) as/.test(page.text) || [200, 303].includes(page.status)) {
        if (path === '/' && page.status === 200 && !page.text.includes('Logged in as')) break;
        page = await get(browser, path);
      }
      expect([path, page.status]).toEqual([path, path === '/' ? 200 : 401]);
    },
  );
});
