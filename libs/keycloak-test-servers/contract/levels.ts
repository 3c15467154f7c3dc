/** Levels: a login flow with two levels of authentication, for one client of a real Keycloak, and what becomes of a level. */
import { randomUUID } from 'node:crypto';
import { redeem, refreshAt } from './code-cases.js';
import { claimsOf } from './demo-realm.js';
import { codeOf, LoginBrowser } from './login-browser.js';
import { exchange, exchangeForB, exchangeForC, introspect, textOf, type Caller, type Reply } from './requests.js';
import { NEW_CLIENT_SECRET, type ContractServer } from './server.js';

interface Execution {
  readonly id: string;
  readonly displayName: string;
  readonly providerId?: string;
}

const FLOWS = '/authentication/flows';
const CONDITION = 'conditional-level-of-authentication';

/** The password alone, and then the password once more: what is asked for makes no difference to the level. */
const LEVELS = ['auth-username-password-form', 'auth-password-form'];

/** What `use` gives; or, of a server without flows, its status. The flow is deleted afterwards. */
async function withLevels<T>(
  { administrator, newClient }: ContractServer,
  use: (client: string) => Promise<T>,
): Promise<T | { readonly status: number }> {
  const alias = `levels-${randomUUID()}`;
  const made = await administrator.ask('POST', FLOWS, {
    body: { alias, providerId: 'basic-flow', topLevel: true, builtIn: false },
  });
  if (made.status !== 201) return { status: made.status };
  const flow = made.headers.get('location')?.split('/').at(-1);
  const add = (to: string, provider: string) =>
    administrator.change('POST', `${FLOWS}/${to}/executions/execution`, { provider });
  const addFlow = (to: string, name: string) =>
    administrator.change('POST', `${FLOWS}/${to}/executions/flow`, {
      alias: name,
      type: 'basic-flow',
      provider: 'registration-page-form',
    });
  await add(alias, 'auth-cookie');
  await addFlow(alias, `forms-${alias}`);
  for (const [at, form] of LEVELS.entries()) {
    await addFlow(`forms-${alias}`, `${at + 1}-${alias}`);
    await add(`${at + 1}-${alias}`, CONDITION);
    await add(`${at + 1}-${alias}`, form);
  }
  let level = 0;
  for (const execution of await administrator.read<Execution[]>(`${FLOWS}/${alias}/executions`)) {
    const { id, providerId, displayName } = execution;
    const isAlternative = providerId === 'auth-cookie' || displayName === `forms-${alias}`;
    const requirement = isAlternative ? 'ALTERNATIVE' : providerId === undefined ? 'CONDITIONAL' : 'REQUIRED';
    await administrator.change('PUT', `${FLOWS}/${alias}/executions`, { ...execution, requirement });
    if (providerId !== CONDITION) continue;
    level += 1;
    const config = { 'loa-condition-level': String(level), 'loa-max-age': '300' };
    await administrator.change('POST', `/authentication/executions/${id}/config`, {
      alias: `${level}-${alias}`,
      config,
    });
  }
  const client = await newClient('web');
  const bind = async (browser: string): Promise<void> => {
    const [found] = await administrator.read<{ id: string }[]>(`/clients?clientId=${client}`);
    const overrides = { authenticationFlowBindingOverrides: { browser } };
    await administrator.change('PUT', `/clients/${found?.id}`, { ...found, ...overrides });
  };
  await bind(flow ?? '');
  try {
    return await use(client);
  } finally {
    await bind('');
    await administrator.change('DELETE', `${FLOWS}/${flow}`);
  }
}

/** `acr` of a token itself, and as introspection says it. */
async function acrOf(server: ContractServer, caller: Caller, token: string): Promise<unknown> {
  const { members } = await introspect(server, caller, token);
  return [claimsOf(token)['acr'], members['acr']];
}

/** What becomes of level 2 along a chain, and of the tokens that were issued before it. */
export const fateOfLevel = (server: ContractServer): Promise<unknown> =>
  withLevels(server, async (client) => {
    const browser = new LoginBrowser(server);
    const tokens = async (reply: Reply) => redeem(server, client, codeOf(reply));
    const atA = (token: string): Promise<unknown> => acrOf(server, 'service-a', token);
    const first = textOf(await tokens(await browser.login(client, 'alice')));
    const before = await atA(first);
    const form = await browser.authorize(client, { acr_values: '2' });
    const stepped = await tokens(await browser.submit(form, { password: 'alice' }));
    const token = textOf(stepped);
    const seen = { before, steppedUp: await atA(token), earlierToken: await atA(first) };
    const atB = await exchangeForB(server, token);
    const byOther = {
      atB: await acrOf(server, 'service-b', atB),
      atC: await acrOf(server, 'service-c', await exchangeForC(server, atB)),
      tokenOfLogin: await atA(token),
    };
    const more = { scope: 'orders.approve', audience: 'service-b' };
    const exchanged = textOf(await exchange(server, `${client}:${NEW_CLIENT_SECRET}`, token, more));
    const byItself = {
      atB: await acrOf(server, 'service-b', exchanged),
      tokenOfLogin: await atA(token),
      refreshed: await atA(textOf(await refreshAt(server, client, stepped))),
    };
    return { ...seen, byOther, byItself };
  });
