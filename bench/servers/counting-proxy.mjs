import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request } from 'node:http';
import { setPriority } from 'node:os';
import { freePort } from '../../libs/keycloak-test-servers/dist/index.js';

const { hostname, port } = new URL(process.argv[2]);
const agent = new Agent({ keepAlive: true });
const ENDPOINT = /\/openid-connect\/(token(?:\/introspect)?|certs)$/;
const LOG = /\/admin\/realms\/[^/]+\/(events\/config|events|admin-events)(?:\?|$)/;

// An ephemeral port could be taken while the proxy refuses connections.
const ownPort = await freePort();
let hanging = false;
let counts = {};
/** Since the proxy answers again: each call with its time in milliseconds, and the hash of its token and audience. */
let callsAgain;
let againMs;
const inFlight = {};
let mostInFlight = {};

/** Forwards the Host header too, so that Keycloak's metadata contains the proxy's address. */
const server = createServer(async (incoming, outgoing) => {
  const sent = await wholeBody(incoming);
  const what = ENDPOINT.exec(incoming.url)?.[1] ?? LOG.exec(incoming.url)?.[1];
  if (what !== undefined) count(incoming, what, sent);
  if (hanging) return;
  begin(what);
  outgoing.once('close', () => end(what));
  const { method, url, headers } = incoming;
  const forwarded = request({ hostname, port, method, path: url, headers, agent }, (response) => {
    outgoing.writeHead(response.statusCode, response.headers);
    response.pipe(outgoing);
  });
  forwarded.on('error', () => outgoing.destroy());
  outgoing.once('close', () => forwarded.destroy());
  forwarded.end(sent);
});
server.keepAliveTimeout = 0;
setPriority(10);
await listen();
process.send({ listening: `http://localhost:${ownPort}` });
process.once('SIGTERM', () => process.exit());

const ANSWERS = {
  counts: () => ({ counts, mostInFlight }),
  reset() {
    counts = {};
    mostInFlight = {};
  },
  hang() {
    hanging = true;
  },
  refuse() {
    server.close();
    server.closeAllConnections();
  },
  async answerAgain() {
    [callsAgain, againMs] = [[], performance.now()];
    hanging = false;
    if (!server.listening) await listen();
  },
  callsAgain: () => callsAgain,
};
process.on('message', async ({ id, ask }) => {
  if (ask in ANSWERS) process.send({ id, answer: await ANSWERS[ask]() });
});

function count({ headers }, endpoint, sent) {
  if (!endpoint.startsWith('token')) {
    counts[endpoint] = (counts[endpoint] ?? 0) + 1;
    note(endpoint, '');
    return;
  }
  const form = new URLSearchParams(sent.toString());
  const [basic] = Buffer.from(/^Basic (.+)$/.exec(headers.authorization ?? '')?.[1] ?? '', 'base64')
    .toString()
    .split(':');
  const client = decodeURIComponent(basic) || form.get('client_id');
  const what = endpoint === 'token' ? form.get('grant_type').split(':').at(-1) : 'introspect';
  const key = `${client} ${what}`;
  counts[key] = (counts[key] ?? 0) + 1;
  note(key, [form.get('token') ?? form.get('subject_token'), form.get('audience')].join(' '));
}

function note(what, about) {
  const hash = createHash('sha256').update(about).digest('base64');
  callsAgain?.push({ what, hash, ms: performance.now() - againMs });
}

async function listen() {
  server.listen(ownPort, '127.0.0.1');
  await once(server, 'listening');
}

function begin(what) {
  inFlight[what] = (inFlight[what] ?? 0) + 1;
  mostInFlight[what] = Math.max(mostInFlight[what] ?? 0, inFlight[what]);
}

function end(what) {
  inFlight[what] -= 1;
}

async function wholeBody(stream) {
  const chunks = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}
