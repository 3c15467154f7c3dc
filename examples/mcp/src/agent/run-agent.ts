import { Client, StreamableHTTPClientTransport, UnauthorizedError } from '@modelcontextprotocol/client';
import { callWith, claimsOf, readAnswer, tableOf } from './calls.js';
import { planFor, type Step } from './plan.js';
import { PermissionDenied, UserLogin, type User } from './user-login.js';

export interface AgentOptions {
  readonly url: string;
  readonly user: User;
  readonly wish: string;
  readonly print: (line: string) => void;
}

interface Result {
  readonly text: string;
  readonly isError: boolean;
}

/** Returns false if the tools refuse. */
export async function runAgent({ url, user, wish, print }: AgentOptions): Promise<boolean> {
  const step = planFor(wish);
  const login = new UserLogin(user, (scopes) =>
    print(`The tools ask for a login with ${scopes.join(' ')}: ${user.username} logs in, through the client "agent"`),
  );
  const { text, isError } = await useTool(url, login, step);
  if (isError) {
    print(`Refused: ${user.username} may not use ${step.tool}. ${text}`);
    return false;
  }
  const { answer, calls } = readAnswer(text);
  print(`${step.tool} answers: ${JSON.stringify(answer)}`);
  for (const line of ['', ...tableOf([callWith('order-tools', claimsOf(login.accessToken)), ...calls])]) print(line);
  return true;
}

async function useTool(url: string, login: UserLogin, { tool, args }: Step): Promise<Result> {
  const { client, transport } = await connect(url, login);
  try {
    const call = () => client.callTool({ name: tool, arguments: args });
    const { content, isError = false } = await call().catch((error) => afterLogin(error, transport, login).then(call));
    const texts = (content as readonly { text?: string }[]).map(({ text }) => text ?? '');
    return { text: texts.join('\n'), isError: isError === true };
  } catch (error) {
    if (!(error instanceof PermissionDenied)) throw error;
    return { text: `Keycloak did not grant: ${error.message}`, isError: true };
  } finally {
    await client.close();
  }
}

async function connect(url: string, login: UserLogin) {
  const transport = transportTo(url, login);
  try {
    return { client: await connected(transport), transport };
  } catch (error) {
    await afterLogin(error, transport, login);
    const another = transportTo(url, login);
    return { client: await connected(another), transport: another };
  }
}

const transportTo = (url: string, authProvider: UserLogin) =>
  new StreamableHTTPClientTransport(new URL(url), { authProvider });

async function connected(transport: StreamableHTTPClientTransport): Promise<Client> {
  const client = new Client({ name: 'agent', version: '1.0.0' }, { versionNegotiation: { mode: 'auto' } });
  await client.connect(transport);
  return client;
}

async function afterLogin(error: unknown, transport: StreamableHTTPClientTransport, login: UserLogin): Promise<void> {
  if (!(error instanceof UnauthorizedError)) throw error;
  await transport.finishAuth(login.takeCallback());
}
