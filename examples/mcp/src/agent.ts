/** An agent without a language model: `node dist/src/agent.js alice "approve order 9876"`. */
import { runAgent } from './agent/run-agent.js';

const [username = 'alice', ...words] = process.argv.slice(2);
const url = process.env['RESOURCE_URL'] ?? 'http://localhost:3020/mcp';
const user = { username, password: username };
try {
  const isDone = await runAgent({ url, user, wish: words.join(' ') || 'who am I', print: console.log });
  process.exitCode = isDone ? 0 : 1;
} catch (error) {
  process.exitCode = 1;
  console.error(error instanceof Error ? error.message : error);
}
