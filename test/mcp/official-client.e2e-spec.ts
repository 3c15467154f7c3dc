import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { ContractServer } from '../../libs/keycloak-test-servers/contract/server.js';
import { startChangedRealm } from '../support/changed-realm.js';
import { ServiceOutput } from '../support/service-output.js';
import { Agent, type AgentOptions } from './agent.js';
import { startApprovals, type ApprovalService } from './approvals.js';
import { addOrderTools } from './mcp-realm.js';
import { KINDS, startToolServer, type ToolServer } from './tool-server.js';

const output = ServiceOutput.acquire();
let server: ContractServer;
let approvals: ApprovalService;

beforeAll(async () => {
  server = await startChangedRealm(addOrderTools);
  approvals = await startApprovals(server.issuer);
});
afterAll(async () => {
  await approvals.stop();
  await server.stop();
  output.release();
});

const MODES: [string, AgentOptions['mode']][] = [
  ['2025-11-25', 'legacy'],
  ['2026-07-28', { pin: '2026-07-28' }],
];

/** The SDK alone answers 403 again after each login, until the agent gives up. */
const REFUSED = {
  'mcp-nest': ['Insufficient permission: tools.approve (insufficient_scope)', 2],
  'the official SDK': ['given up', 5],
} as const;

type Result = Awaited<ReturnType<Agent['call']>>;

const textOf = ({ content }: Result): string | undefined => (content as { readonly text: string }[])[0]?.text;

describe.each(KINDS)('the official client at an MCP server of %s', (kind) => {
  let tools: ToolServer;
  const agents: Agent[] = [];

  beforeAll(async () => {
    tools = await startToolServer(kind, 'Express', { issuer: server.issuer, approvalsUrl: approvals.url });
  });
  afterAll(async () => {
    for (const agent of agents) await agent.close();
    await tools.stop();
  });

  const agentOf = (username: string, mode: AgentOptions['mode']): Agent => {
    const agent = new Agent({ url: tools.url, username, mode, learned: (token) => output.scanner.addToken(token) });
    agents.push(agent);
    return agent;
  };
  const scopesIn = (text: string): string[] =>
    text
      .split(' ')
      .filter((each) => each.startsWith('tools.'))
      .toSorted();

  describe.each(MODES)('with revision %s', (_, mode) => {
    it('logs in for the scope of the endpoint, steps up for a tool, and acts for the user', async () => {
      const [id, user] = [randomUUID(), await server.newUser('order-manager')];
      const agent = agentOf(user, mode);
      expect(await agent.call('whoami')).toMatchObject({ content: [{ text: JSON.stringify({ user }) }] });
      expect(agent.requested.map(scopesIn)).toEqual([['tools.use']]);
      const approved = await agent.call('approve_order', { id });
      expect(approved.isError ?? false).toBe(false);
      expect(agent.requested.map(scopesIn)).toEqual([['tools.use'], ['tools.approve', 'tools.use']]);
      expect(scopesIn(agent.grantedScope)).toEqual(['tools.approve', 'tools.use']);
      expect(approvals.approved).toContainEqual({ id, by: user, client: 'order-tools' });
    });

    it('ends with a refusal for a user who may not approve', async () => {
      const [id, user] = [randomUUID(), await server.newUser('order-viewer')];
      const agent = agentOf(user, mode);
      await agent.call('whoami');
      const outcome = await agent.call('approve_order', { id }).then(textOf, () => 'given up');
      expect([outcome, agent.requested.length]).toEqual(REFUSED[kind]);
      expect(approvals.approved.filter((each) => each.id === id)).toEqual([]);
    });
  });
});
