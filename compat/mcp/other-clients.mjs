// Calls the tools of examples/mcp by the inspector and by the conformance suite, which has no scenario for the
// authorization of a server, and sends no token. The arguments are the start files of both programs.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { createServer, request } from 'node:http';
import { freePort, startTestServer } from 'keycloak-test-servers';
import { logIn } from './dist/src/agent/log-in.js';
import { startTools } from './dist/src/start-tools.js';
import { startServiceB } from './dist/test/service-b.js';

const [inspector, conformance] = process.argv.slice(2);
// `dns-rebinding-protection` requires a server that accepts the origin of localhost, and the example has another origin.
const SCENARIOS = ['server-initialize', 'ping', 'tools-list'];
const CALLBACK = 'http://localhost:7999/callback';

process.env.NODE_ENV = 'test';
const secrets = { ORDER_TOOLS_CLIENT_SECRET: 'tools-secret', SERVICE_B_CLIENT_SECRET: 'b-secret' };
const server = await startTestServer({ realm: 'realm.json', environment: secrets });
const { issuer } = server;
const serviceB = await startServiceB(issuer, secrets.SERVICE_B_CLIENT_SECRET);
const token = await tokenOf('alice', 'tools.use tools.approve');
for (const kind of ['mcp-nest', 'sdk']) {
  const resource = `http://localhost:${await freePort()}/mcp`;
  const clientSecret = secrets.ORDER_TOOLS_CLIENT_SECRET;
  const settings = { issuer, clientSecret, resource, serviceBUrl: serviceB.url, allowInsecureRequests: true };
  const tools = await startTools(kind, settings);
  await inspect(kind, resource);
  await conform(kind, resource);
  await tools.close();
}
await serviceB.stop();
await server.stop();

async function inspect(kind, url) {
  const call = (...args) => {
    const header = ['--header', `Authorization: Bearer ${token}`];
    return node([inspector, '--cli', url, '--transport', 'http', ...header, '--method', ...args]);
  };
  const list = await call('tools/list');
  for (const tool of ['whoami', 'read_receipt', 'approve_order']) assert.match(list, new RegExp(tool));
  assert.match(await call('tools/call', '--tool-name', 'whoami'), /alice/);
  assert.match(await call('tools/call', '--tool-name', 'approve_order', '--tool-arg', 'id=9876'), /9876/);
  assert.ok(serviceB.approved.includes(9876));
  console.log(`${kind}: the inspector lists and calls the tools`);
}

async function conform(kind, url) {
  const proxy = await addToken(url);
  for (const scenario of SCENARIOS) {
    const output = await node([conformance, 'server', '--url', proxy.url, '--scenario', scenario]);
    console.log(`${kind}: ${scenario}: ${/Passed: .*/.exec(output)?.[0] ?? output}`);
  }
  await proxy.stop();
}

function node(args) {
  return new Promise((resolve, reject) => {
    execFile(process.execPath, args, { env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else reject(new Error(`${args.join(' ').replaceAll(token, '…')}: ${stdout}${stderr}`));
    });
  });
}

async function addToken(url) {
  const { port, pathname } = new URL(url);
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers, authorization: `Bearer ${token}` };
    const sent = { port, path: pathname, host: 'localhost', method: incoming.method, headers };
    const forwarded = request(sent, (answer) => {
      outgoing.writeHead(answer.statusCode, answer.headers);
      answer.pipe(outgoing);
    });
    forwarded.on('error', () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  await new Promise((resolve) => proxy.listen(0, 'localhost', resolve));
  const stop = () => new Promise((resolve) => proxy.close(resolve).closeAllConnections());
  return { url: `http://localhost:${proxy.address().port}/mcp`, stop };
}

async function tokenOf(user, scope) {
  const verifier = randomBytes(32).toString('base64url');
  const challenge = createHash('sha256').update(verifier).digest('base64url');
  const common = { client_id: 'agent', redirect_uri: CALLBACK };
  const asked = { response_type: 'code', scope, code_challenge: challenge, code_challenge_method: 'S256' };
  const url = new URL(`${issuer}/protocol/openid-connect/auth`);
  url.search = new URLSearchParams({ ...common, ...asked }).toString();
  const code = (await logIn(url, user, user)).get('code');
  const body = new URLSearchParams({ ...common, grant_type: 'authorization_code', code, code_verifier: verifier });
  const answer = await fetch(`${issuer}/protocol/openid-connect/token`, { method: 'POST', body });
  return (await answer.json()).access_token;
}
