/** The official client uses the tools as alice and as bob, on an authorization server that has imported `realm.json`. */
import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, it } from 'node:test';
import type { INestApplication } from '@nestjs/common';
import { freePort, startTestServer, type RunningServer } from 'keycloak-test-servers';
import { runAgent } from '../src/agent/run-agent.js';
import { startTools } from '../src/start-tools.js';
import { startServiceB, type ServiceB } from './service-b.js';

process.env['NODE_ENV'] ??= 'test';
const secrets = { ORDER_TOOLS_CLIENT_SECRET: 'tools-secret', SERVICE_B_CLIENT_SECRET: 'b-secret' };

let server: RunningServer;
let serviceB: ServiceB;
before(async () => {
  server = await startTestServer({ realm: 'realm.json', environment: secrets });
  serviceB = await startServiceB(server.issuer, secrets.SERVICE_B_CLIENT_SECRET);
});
after(async () => {
  await serviceB.stop();
  await server.stop();
});
beforeEach(() => void serviceB.approved.splice(0));

for (const kind of ['mcp-nest', 'sdk'] as const) {
  describe(`the tools of ${kind}`, () => {
    let url: string;
    let tools: INestApplication;

    before(async () => {
      url = `http://localhost:${await freePort()}/mcp`;
      tools = await startTools(kind, {
        issuer: server.issuer,
        clientSecret: secrets.ORDER_TOOLS_CLIENT_SECRET,
        resource: url,
        serviceBUrl: serviceB.url,
        allowInsecureRequests: true,
      });
    });
    after(() => tools.close());

    async function ask(username: string, wish: string): Promise<{ fulfilled: boolean; printed: string }> {
      const lines: string[] = [];
      const print = (line: string) => void lines.push(line);
      const fulfilled = await runAgent({ url, user: { username, password: username }, wish, print });
      return { fulfilled, printed: lines.join('\n') };
    }

    it('let alice approve an order after a second login', async () => {
      const { fulfilled, printed } = await ask('alice', 'approve order 9876');
      assert.equal(fulfilled, true);
      assert.deepEqual(serviceB.approved, [9876]);
      assert.match(printed, /a login with tools\.use: alice logs in/);
      assert.match(printed, /a login with tools\.use tools\.approve: alice logs in/);
      assert.match(printed, /^agent +order-tools +order-tools +agent .*\btools\.approve\b/m);
      assert.match(printed, /^order-tools +service-b +service-b +order-tools .*\borders\.approve\b/m);
    });

    it('let bob read a receipt, and approve nothing', async () => {
      assert.equal((await ask('bob', 'read receipt 9876')).fulfilled, true);
      const { fulfilled, printed } = await ask('bob', 'approve order 9876');
      assert.equal(fulfilled, false);
      assert.match(printed, /Refused: bob may not use approve_order\..*tools\.approve/);
      assert.deepEqual(serviceB.approved, []);
    });

    it('ask for one login if the tool needs no more than the endpoint', async () => {
      const { printed } = await ask('alice', 'who am I');
      assert.match(printed, /whoami answers: \{"user":"alice","client":"agent"\}/);
      assert.equal(printed.match(/logs in/g)?.length, 1);
    });
  });
}
