// npm run agent -- alice "approve order 9876" starts an agent that uses the tools of `npm run mcp` for a user. The agent
// is the official MCP client with a fixed plan, and has no language model. The agent logs in as the user, and prints
// which service called which, with which token. Further wishes: "read receipt 9876", "who am I".
import '../common/help.mjs';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildBySwc } from '../common/build.mjs';
import { argumentsOf } from '../common/own-options.mjs';
import { messageOf, paint, runNode, stopSignal } from '../common/processes.mjs';
import { portOf } from './services.mjs';

const { positionals } = argumentsOf({ options: {}, allowPositionals: true });

process.chdir(join(import.meta.dirname, '../..'));
if (existsSync('.env')) process.loadEnvFile('.env');
const signal = stopSignal();
try {
  await buildBySwc('examples/mcp');
  const url = `http://localhost:${portOf(process.env, 'ORDER_TOOLS_PORT', 3020)}/mcp`;
  await fetch(url, { signal }).catch(() => {
    throw new Error(`No MCP server answers at ${url}. Start one first, in another terminal: npm run mcp`);
  });
  const env = { ...process.env, RESOURCE_URL: url };
  process.exitCode = await runNode(['examples/mcp/dist/agent.js', ...positionals], { env, signal });
} catch (error) {
  process.exitCode = 1;
  if (!signal.aborted) console.error(paint(31, messageOf(error)));
}
