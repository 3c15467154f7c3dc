import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { login, textOf as tokenIn, exchange } from '../../libs/keycloak-test-servers/contract/requests.js';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { ask, ERAS, headersOf, isToolError, messageOf, send, textOf, toolCall, type Sent } from './mcp-calls.js';
import { startChangedRealm } from '../support/changed-realm.js';
import { ServiceOutput } from '../support/service-output.js';
import { startApprovals, type ApprovalService } from './approvals.js';
import { addOrderTools, SECRET } from './mcp-realm.js';
import { KINDS, PLATFORMS, startToolServer, type Platform, type ToolServer } from './tool-server.js';

const output = ServiceOutput.acquire();
let server: ContractServer;
let approvals: ApprovalService;
let manager: string;

beforeAll(async () => {
  server = await startChangedRealm(addOrderTools);
  approvals = await startApprovals(server.issuer);
  manager = await server.newUser('order-manager');
});
afterAll(async () => {
  await approvals.stop();
  await server.stop();
  output.release();
});

async function tokenOf(user: string, scope: string, client = 'agent'): Promise<string> {
  const token = tokenIn(await login(server, user, `openid ${scope}`, client));
  output.scanner.addToken(token);
  return token;
}

const approvedIn = (id: string) => approvals.approved.filter((each) => each.id === id);

describe.each(KINDS.flatMap((kind) => (Object.keys(PLATFORMS) as Platform[]).map((on) => [kind, on] as const)))(
  'an MCP server of %s on %s',
  (kind, platform) => {
    let tools: ToolServer;

    beforeAll(async () => {
      tools = await startToolServer(kind, platform, { issuer: server.issuer, approvalsUrl: approvals.url });
    });
    afterAll(() => tools.stop());

    it('publishes metadata with its authorization server and scopes, without offline_access (M1, M10)', async () => {
      const metadata = (await (await fetch(tools.metadataUrl)).json()) as Readonly<Record<string, unknown>>;
      expect(metadata).toMatchObject({ resource: tools.url, authorization_servers: [server.issuer] });
      const scopes = kind === 'mcp-nest' ? ['tools.approve', 'tools.use'] : ['tools.use'];
      expect((metadata['scopes_supported'] as string[]).toSorted()).toEqual(scopes);
    });

    describe.each(ERAS)('for a client of %s', (era) => {
      const call = (name: string, sent: Sent, args = {}) => ask(tools.url, era, toolCall(name, args), sent);

      it('asks a caller without a token for the scope of the endpoint (M2, M3)', async () => {
        const { status, headers } = await call('whoami', {});
        expect(status).toBe(401);
        expect(headers.get('www-authenticate')).toContain(
          `scope="tools.use", resource_metadata="${tools.metadataUrl}"`,
        );
      });

      it('calls the next service for the caller, whom no argument replaces', async () => {
        const id = randomUUID();
        const token = await tokenOf(manager, 'tools.use tools.approve');
        const answer = await call('approve_order', { token }, { id, user: 'bob' });
        expect([answer.status, isToolError(answer)]).toEqual([200, false]);
        expect(approvedIn(id)).toEqual([{ id, by: manager, client: 'order-tools' }]);
      });

      it('lets no agent with the entry scope alone approve an order of its user (TX-11, M8)', async () => {
        const id = randomUUID();
        const { status, headers } = await call('approve_order', { token: await tokenOf(manager, 'tools.use') }, { id });
        expect(status).toBe(403);
        const challenge = headers.get('www-authenticate') ?? '';
        expect(challenge).toContain('error="insufficient_scope"');
        expect(challenge).toContain('scope="tools.use tools.approve"');
        expect(challenge).toContain(`resource_metadata="${tools.metadataUrl}"`);
        expect(approvedIn(id)).toEqual([]);
      });

      it('refuses a user whose login brings no permission', async () => {
        const [id, user] = [randomUUID(), await server.newUser('order-viewer')];
        const logIn = (): Promise<string> => tokenOf(user, 'tools.use tools.approve');
        expect((await call('approve_order', { token: await logIn() }, { id })).status).toBe(403);
        const again = await call('approve_order', { token: await logIn() }, { id });
        expect([again.status, isToolError(again)]).toEqual(kind === 'mcp-nest' ? [200, true] : [403, false]);
        expect(approvedIn(id)).toEqual([]);
      });

      it('refuses tokens for other services, also its own exchanged token (M4)', async () => {
        const atTools = await tokenOf(manager, 'tools.use tools.approve');
        const atA = await tokenOf(manager, 'orders.read', 'demo-cli');
        const form = { scope: 'orders.approve', audience: 'service-b' };
        const exchanged = tokenIn(await exchange(server, `order-tools:${SECRET}`, atTools, form));
        output.scanner.addToken(exchanged);
        for (const token of [atA, exchanged]) expect((await call('whoami', { token })).status).toBe(401);
        const atB = await send(`${approvals.url}/api/approvals`, { id: '1' }, { token: atTools });
        expect(atB.status).toBe(401);
      });

      it('reads no token in the query (M6)', async () => {
        const token = await tokenOf(manager, 'tools.use');
        const { status } = await ask(`${tools.url}?access_token=${token}`, era, toolCall('whoami'));
        expect(status).toBe(401);
      });

      it('refuses a foreign Origin and the session of somebody else (M11, M13)', async () => {
        const token = await tokenOf(manager, 'tools.use');
        const evil = await call('whoami', { token, headers: { origin: 'https://evil.example.com' } });
        const stolen = await call('whoami', { token, headers: { 'mcp-session-id': randomUUID() } });
        const good = await call('whoami', { token, headers: { origin: 'https://app.example.com' } });
        expect([evil.status, stolen.status, good.status]).toEqual([403, 404, 200]);
        expect(textOf(good)).toBe(JSON.stringify({ user: manager }));
      });
    });

    it('approves nothing in a batch without the permission', async () => {
      const id = randomUUID();
      const calls = [toolCall('whoami'), toolCall('approve_order', { id })];
      const batch = calls.map(([method, params], at) => ({ ...messageOf('2025-11-25', method, params), id: at }));
      const headers = headersOf('2025-11-25', 'tools/call', {});
      const approver = { token: await tokenOf(manager, 'tools.use tools.approve'), headers };
      await send(tools.url, batch, approver);
      expect(approvedIn(id)).toHaveLength(1);
      await send(tools.url, batch, { token: await tokenOf(manager, 'tools.use'), headers });
      expect(approvedIn(id)).toHaveLength(1);
    });

    it('refuses a call whose Mcp-Name names another tool', async () => {
      const id = randomUUID();
      const token = await tokenOf(manager, 'tools.use');
      const sent = { token, headers: { 'mcp-name': 'whoami' } };
      const { status } = await ask(tools.url, '2026-07-28', toolCall('approve_order', { id }), sent);
      expect([400, 403]).toContain(status);
      expect(approvedIn(id)).toEqual([]);
    });

    it('ends a stream after the logout of its user (M16)', async () => {
      const user = await server.newUser('order-manager');
      const listen = { notifications: { toolsListChanged: true } };
      const response = await fetch(tools.url, {
        method: 'POST',
        headers: {
          ...headersOf('2026-07-28', 'subscriptions/listen', {}),
          authorization: `Bearer ${await tokenOf(user, 'tools.use')}`,
        },
        body: JSON.stringify(messageOf('2026-07-28', 'subscriptions/listen', listen)),
      });
      expect([response.status, response.headers.get('content-type')]).toEqual([200, 'text/event-stream']);
      const end = response.text().then(
        () => 'ended',
        () => 'ended',
      );
      expect(await Promise.race([end, sleep(500, 'open')])).toBe('open');
      await server.logOutUser(user);
      // The token lives for minutes, so only the logout can end the stream within this time.
      expect(await Promise.race([end, sleep(30_000, 'open', { ref: false })])).toBe('ended');
    });
  },
);

it('logs who was refused, and no token (M14)', () => {
  const refused = output.lines.filter((line) => line.includes('"permission_missing"'));
  expect(refused.join('\n')).toContain('"permission":"tools.approve"');
  expect(output.scanner.knownCount).toBeGreaterThan(0);
});
