// Asks Keycloak once about each token, and then answers from memory. Keycloak needs more CPU for a new token than the
// services, and would limit the load.
import { createServer } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { Agent, request } from 'undici';

const [, , keycloak] = process.argv;
const dispatcher = new Agent({ connections: 16 });
const answers = new Map();

const server = createServer(async (incoming, outgoing) => {
  const { method, url, headers } = incoming;
  const body = await buffer(incoming);
  const key = `${url} ${headers.authorization} ${body}`;
  try {
    const { status, type, text } = answers.get(key) ?? (await ask(method, url, headers, body));
    if (method === 'POST' && status === 200) answers.set(key, { status, type, text });
    outgoing.writeHead(status, { 'content-type': type, 'content-length': text.length }).end(text);
  } catch {
    outgoing.destroy();
  }
});
server.keepAliveTimeout = 0;
server.listen(0, '127.0.0.1', () => process.send({ listening: `http://localhost:${server.address().port}` }));
process.once('SIGTERM', () => process.exit());

/** Sends the Host header too, so that Keycloak's metadata contains the proxy's address. */
async function ask(method, path, { host, authorization, 'content-type': type }, sent) {
  const headers = Object.entries({ host, authorization, 'content-type': type }).filter(([, value]) => value);
  const body = method === 'POST' ? sent : undefined;
  const answer = await request(`${keycloak}${path}`, {
    method,
    headers: Object.fromEntries(headers),
    body,
    dispatcher,
  });
  const text = Buffer.from(await answer.body.arrayBuffer());
  return { status: answer.statusCode, type: answer.headers['content-type'] ?? 'text/plain', text };
}
