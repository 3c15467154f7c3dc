import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { freePort } from 'keycloak-test-servers';

const script = (name: string): string => fileURLToPath(new URL(`../../scripts/start/${name}.mjs`, import.meta.url));

const VARIABLES = ['KEYCLOAK_PORT', 'SERVICE_A_PORT', 'SERVICE_B_PORT', 'SERVICE_C_PORT', 'ORDER_TOOLS_PORT'];

interface Command {
  readonly child: ChildProcess;
  readonly printed: () => string;
  readonly exited: Promise<number | null>;
}

const running: Command[] = [];
let environment: NodeJS.ProcessEnv;

beforeAll(async () => {
  const ports = await Promise.all(VARIABLES.map(async (name) => [name, String(await freePort())]));
  environment = {
    PATH: process.env['PATH'],
    NODE_ENV: 'development',
    AUTHORIZATION_SERVER: 'embedded',
    ...Object.fromEntries(ports),
  };
  await until(run('start', '--mcp'), 'All services are ready.');
});

afterAll(async () => {
  for (const command of running.toReversed()) await stop(command);
});

/** Without NODE_OPTIONS: the commands do not need the options of Jest. */
function run(name: string, ...args: readonly string[]): Command {
  const child = spawn(process.execPath, [script(name), ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (printed += text));
  const exited = once(child, 'close').then(([code]) => code as number | null);
  const command = { child, printed: () => printed, exited };
  running.push(command);
  return command;
}

async function until({ child, printed, exited }: Command, text: string): Promise<void> {
  const isEnded = exited.then(() => true);
  while (!printed().includes(text)) {
    const more = once(child.stdout!, 'data').then(() => false);
    if (await Promise.race([isEnded, more])) throw new Error(`ended without "${text}": ${printed()}`);
  }
}

async function stop({ child, exited }: Command): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
  await exited;
}

async function agent(...words: readonly string[]): Promise<{ exitCode: number | null; printed: string }> {
  const { exited, printed } = run('agent', ...words);
  return { exitCode: await exited, printed: printed() };
}

describe.each(['mcp-nest', 'sdk'])('npm run mcp -- --server=%s, beside npm start -- --mcp', (server) => {
  let tools: Command;

  beforeAll(async () => {
    tools = run('mcp', `--server=${server}`);
    await until(tools, `order-tools (${server}) at `);
  });
  afterAll(() => stop(tools));

  it('lets the agent of alice approve an order, with a separate token for each service', async () => {
    const { exitCode, printed } = await agent('alice', 'approve order 9876');
    expect(printed).toContain('approve_order answers: {"approved":9876,"by":"alice"}');
    const rows = printed.split('\n').map((line) => line.split(/ {2,}/));
    expect(rows.filter(([, , aud]) => aud !== undefined)).toEqual([
      ['from', 'to', 'aud', 'azp', 'scope'],
      ['agent', 'order-tools', 'order-tools', 'agent', 'profile tools.use tools.approve'],
      ['order-tools', 'service-b', 'service-b', 'order-tools', 'profile orders.approve'],
      ['service-b', 'service-c', 'service-c', 'service-b', 'profile email analytics.run'],
    ]);
    expect(exitCode).toBe(0);
  });

  it('refuses the agent of bob in words, but lets the agent read a receipt', async () => {
    const refused = await agent('bob', 'approve order 9876');
    expect(refused.printed).toMatch(/Refused: bob may not use approve_order\..*tools\.approve/);
    expect(refused.exitCode).toBe(1);
    const { exitCode, printed } = await agent('bob', 'read receipt 9876');
    expect([exitCode, printed]).toEqual([0, expect.stringContaining('"Receipt for order 9876')]);
  });
});
