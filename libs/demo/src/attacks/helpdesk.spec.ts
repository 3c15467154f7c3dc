import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import { Logger } from '@nestjs/common';
import { startAuthorizationServer, type RunningAuthorizationServer } from 'keycloak-test-servers';
import { AttackersKeycloak } from './attackers-keycloak.js';
import { AttackNotRun } from './attempt.js';
import { Helpdesk, type ThrowAwayUser } from './helpdesk.js';

const SECRET = 'the-secret';
const CLIENT = { clientId: 'demo-helpdesk', clientSecret: SECRET };
const DEMO_CLI = { clientId: 'demo-cli' };
/** This deadline is longer than the timeout of a test, so even on a slow machine no test reaches the deadline. */
const DEADLINE_MS = 60_000;

let server: RunningAuthorizationServer;
let keycloak: AttackersKeycloak;
let helpdesk: Helpdesk;

beforeAll(async () => {
  const realm = fileURLToPath(new URL('../../../../keycloak/microservices-realm.json', import.meta.url));
  const placeholders = readFileSync(realm, 'utf8').matchAll(/\$\{(\w+_CLIENT_SECRET)\}/g);
  const secrets = Object.fromEntries(Array.from(placeholders, ([, name]) => [name, SECRET]));
  server = await startAuthorizationServer({ realm, environment: { ...secrets, DEMO_HELPDESK_ENABLED: 'true' } });
  keycloak = new AttackersKeycloak({ issuer: server.issuer, clientId: 'service-a' }, SECRET, DEADLINE_MS);
  helpdesk = new Helpdesk(keycloak, CLIENT);
});
afterAll(() => server.stop());

const logIn = ({ username, password }: ThrowAwayUser) =>
  keycloak.askForToken({ grant_type: 'password', username, password, scope: 'orders.read' }, DEMO_CLI);
const named = async (name: string): Promise<number> => {
  const { members } = await keycloak.administer({ method: 'GET', path: `/users?username=${name}` }, CLIENT);
  return Object.keys(members).length;
};

describe('a temporary user of an attack', () => {
  it('can log in until the user is disabled, and is deleted after the attack', async () => {
    const [user, logins] = await helpdesk.withUser('order-manager', async (made) => {
      const before = await logIn(made);
      await made.disable();
      return [made, [before, await logIn(made)]] as const;
    });
    expect(logins).toEqual([{ status: 200 }, { status: 400, code: 'invalid_grant', reason: 'Account disabled' }]);
    expect(await named(user.username)).toBe(0);
  });

  it('is deleted even if the attack fails or the role does not exist', async () => {
    const fails = helpdesk.withUser('order-viewer', () => Promise.reject(new AttackNotRun('It failed.')));
    await expect(fails).rejects.toThrow('It failed.');
    const lost = helpdesk.withUser('no-such', () => Promise.resolve());
    await expect(lost).rejects.toThrow('Keycloak has no role no-such.');
    expect(await named('throw-away-')).toBe(0);
  });

  it('does not change the result of the attack if the deletion of the user fails', async () => {
    const warn = jest.spyOn(Logger.prototype, 'warn').mockImplementation(() => undefined);
    const failing = {
      administer: (...[act, client]: Parameters<AttackersKeycloak['administer']>) =>
        act.method === 'DELETE'
          ? Promise.reject(new AttackNotRun('Keycloak could not be reached.'))
          : keycloak.administer(act, client),
    };
    await expect(new Helpdesk(failing, CLIENT).withUser('order-viewer', async () => 'done')).resolves.toBe('done');
    expect(warn.mock.calls).toEqual([
      [
        'The user of an attack was not deleted',
        { username: expect.stringMatching(/^throw-away-/), why: 'Keycloak could not be reached.' },
      ],
    ]);
    warn.mockRestore();
  });

  it("is created only if the attack's client may manage users", async () => {
    const other = new Helpdesk(keycloak, { clientId: 'service-c', clientSecret: SECRET });
    await expect(other.withUser('order-viewer', async () => 'done')).rejects.toThrow(
      /^Keycloak did not let service-c do what the attack needs \(403\)\. npm start and docker compose enable/,
    );
  });
});
