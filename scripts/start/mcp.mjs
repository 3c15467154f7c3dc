// npm run mcp starts the MCP server of examples/mcp beside `npm start -- --mcp`, or beside
// `npm run start:keycloak -- --mcp`. The server has the tools whoami, read_receipt and approve_order, which call
// Service B for the user. With --server=sdk, the server uses the official SDK alone. Default: --server=mcp-nest.
// ORDER_TOOLS_PORT (3020) is the port.
import '../common/help.mjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildBySwc } from '../common/build.mjs';
import { argumentsOf } from '../common/own-options.mjs';
import { messageOf, paint, runNode, stopSignal } from '../common/processes.mjs';
import { orderToolsSecret } from './order-tools.mjs';
import { runningKeycloak } from './running-keycloak.mjs';
import { portOf, services } from './services.mjs';

const { values: flags } = argumentsOf({ options: { server: { type: 'string', default: 'mcp-nest' } } });

process.chdir(join(import.meta.dirname, '../..'));
if (existsSync('.env')) process.loadEnvFile('.env');
const signal = stopSignal();
try {
  if (!['mcp-nest', 'sdk'].includes(String(flags.server))) throw new Error('--server must be mcp-nest or sdk');
  const { issuer } = runningKeycloak(process.env);
  const secret = orderToolsSecret(process.env);
  await checkClient(issuer, secret);
  await buildBySwc('examples/mcp');
  const port = portOf(process.env, 'ORDER_TOOLS_PORT', 3020);
  const serviceB = services(process.env).find(({ name }) => name === 'service-b');
  const env = {
    ...process.env,
    NODE_ENV: process.env.NODE_ENV || 'development',
    SERVER: String(flags.server),
    ISSUER: issuer,
    ORDER_TOOLS_CLIENT_SECRET: secret,
    RESOURCE_URL: `http://localhost:${port}/mcp`,
    SERVICE_B_URL: `http://localhost:${serviceB?.port}`,
  };
  console.log(`
In another terminal:

  npm run agent -- alice "approve order 9876"
  npm run agent -- bob "approve order 9876"
  npm run agent -- bob "read receipt 9876"
`);
  process.exitCode = await runNode(['--enable-source-maps', 'examples/mcp/dist/main.js'], { env, signal });
} catch (error) {
  process.exitCode = signal.aborted ? 0 : 1;
  if (!signal.aborted) console.error(paint(31, messageOf(error)));
}

/**
 * @param {string} issuer
 * @param {string} secret
 */
async function checkClient(issuer, secret) {
  const start = 'Start the services first, in another terminal: npm start -- --mcp';
  const authorization = `Basic ${Buffer.from(`order-tools:${secret}`).toString('base64')}`;
  const answer = await fetch(`${issuer}/protocol/openid-connect/token/introspect`, {
    method: 'POST',
    headers: { authorization },
    body: new URLSearchParams({ token: 'none' }),
    signal: AbortSignal.timeout(30_000),
  }).catch((error) => {
    throw new Error(`${issuer} did not answer (${error.cause?.code ?? error.message}). ${start}`);
  });
  if (!answer.ok) throw new Error(`${issuer} has no client order-tools with this secret (${answer.status}). ${start}`);
}
