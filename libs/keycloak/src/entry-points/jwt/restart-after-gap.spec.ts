import { ExpressAdapter } from '@nestjs/platform-express';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import type { RunningAuthorizationServer } from 'keycloak-test-servers';
import { startTestRealm } from '../../../../keycloak-test-servers/spec-support/test-realm.js';
import { logIn, Shop } from '../../../spec-support/logout-services.js';
import type { RevocationChannel, RevocationReceiver } from '../extension/index.js';
import { BackchannelLogoutModule } from '../signals/index.js';
import { jwtVerification } from './index.js';

let server: RunningAuthorizationServer;
let shop: Shop | undefined;
let receiver: RevocationReceiver | undefined;

const revocationChannel: RevocationChannel = {
  check: () => undefined,
  connect: (_, to) => {
    receiver = to;
    setImmediate(() => to.caughtUp());
    return { append: async () => undefined, appendAgain: async () => true, close: async () => undefined };
  },
};

beforeAll(async () => {
  server = await startTestRealm();
});
afterEach(async () => {
  await shop?.stop();
  shop = undefined;
});
afterAll(() => server.stop());

async function started(): Promise<Shop> {
  shop = await Shop.start({
    servers: [server],
    notices: BackchannelLogoutModule.forRoot(),
    adapter: new ExpressAdapter(),
    options: {
      verification: 'jwt',
      jwt: jwtVerification(),
      introspectionTtlSeconds: 0,
      clockToleranceSeconds: 0,
      revocationChannel,
    },
  });
  return shop;
}

async function endedToken(): Promise<string> {
  await started();
  const { accessToken } = await logIn(server, 'alice');
  await shop?.stop();
  const payload = JSON.parse(Buffer.from(accessToken.split('.')[1] ?? '', 'base64url').toString()) as { sid: string };
  server.control.endSession(payload.sid);
  return accessToken;
}

describe('a service that starts after the feed missed events', () => {
  it('introspects a token that was issued before the feed became complete (RS-13)', async () => {
    const token = await endedToken();
    const app = await started();
    expect(await app.status(token)).toBe(200);
    receiver?.healthy({ sinceAgoMs: 0, untilAgoMs: 0 });
    expect(await app.status(token)).toBe(401);
  });

  it('accepts a token that was issued after the feed became complete', async () => {
    const token = await endedToken();
    const app = await started();
    receiver?.healthy({ sinceAgoMs: 60_000, untilAgoMs: 0 });
    expect(await app.status(token)).toBe(200);
  });
});
