// The fastest possible Services A, B and C without security: Fastify, undici, JSON schemas. With `bearer`, a service
// looks up each token in a map, which is the minimal work of a guard.
import Fastify from 'fastify';
import { Pool } from 'undici';

const [, , name, kind] = process.argv;
const { PORT, SERVICE_B_URL, SERVICE_C_URL } = process.env;
/** A bearer token with the length of a realm's token. */
const TOKEN = `Bearer ${'c2VjcmV0'.repeat(123)}`;
const KNOWN = new Map([[TOKEN, { audience: 'of the bench', expiresAtMs: Number.MAX_SAFE_INTEGER }]]);
const withToken = kind === 'bearer';
const ORDER = JSON.stringify({ order_id: 9876, amount: 1500 });

const object = (properties) => ({
  type: 'object',
  properties,
  required: Object.keys(properties),
  additionalProperties: false,
});
const text = { type: 'string' };
const number = { type: 'number' };
const COMPUTED = object({ result: number, msg: text });
const PROCESSED = object({ service_b: text, service_c: COMPUTED });

const app = Fastify({ ajv: { customOptions: { coerceTypes: false, removeAdditional: false } } });
const answering = (schema) => ({ response: { 200: schema } });

const SERVICES = {
  'service-a'() {
    const call = caller(SERVICE_B_URL, '/api/process', isProcessed);
    app.get('/run-service-b', { schema: answering(PROCESSED) }, () => call(ORDER));
  },
  'service-b'() {
    const call = caller(SERVICE_C_URL, '/api/compute', isComputed);
    const body = object({
      order_id: { type: 'integer', minimum: 1, maximum: 1_000_000_000 },
      amount: { ...number, minimum: 0.01, maximum: 1_000_000_000 },
    });
    app.post('/api/process', { schema: { body, ...answering(PROCESSED) } }, async (request) => ({
      service_b: `Order ${request.body.order_id} processed by Service B`,
      service_c: await call(JSON.stringify({ value: 10 })),
    }));
  },
  'service-c'() {
    const body = object({ value: { ...number, minimum: -1_000_000_000, maximum: 1_000_000_000 } });
    app.post('/api/compute', { schema: { body, ...answering(COMPUTED) } }, async (request) => ({
      result: request.body.value * 2,
      msg: 'Service C successfully processed request',
    }));
  },
};

if (withToken) app.addHook('onRequest', admitKnown);
SERVICES[name]();
app.get('/health/ready', async () => ({}));
await app.listen({ port: Number(PORT), host: '127.0.0.1' });
process.once('SIGTERM', () => process.exit());

/** Checks the token of every POST, since each POST comes from another service. */
function admitKnown({ method, headers }, reply, done) {
  if (method === 'POST' && !isGood(KNOWN.get(headers.authorization))) reply.code(401).send({});
  else done();
}

function isGood(token) {
  return token?.audience === 'of the bench' && Date.now() < token.expiresAtMs;
}

/** ServiceClient also uses `dispatch`, which is the fastest interface of undici. */
function caller(baseUrl, path, isAsAgreed) {
  const pool = new Pool(baseUrl, { connections: 100 });
  const headers = ['content-type', 'application/json', ...(withToken ? ['authorization', TOKEN] : [])];
  return (body) =>
    new Promise((resolve, reject) => {
      pool.dispatch({ method: 'POST', path, headers, body }, new Answer(isAsAgreed, resolve, reject));
    });
}

class Answer {
  #status = 0;
  #text = '';

  constructor(isAsAgreed, resolve, reject) {
    this.isAsAgreed = isAsAgreed;
    this.resolve = resolve;
    this.reject = reject;
  }

  onRequestStart() {}

  onResponseStart(_, status) {
    this.#status = status;
  }

  // All data is ASCII, so a chunk can't split a character.
  onResponseData(_, chunk) {
    this.#text += chunk.latin1Slice();
  }

  onResponseEnd() {
    const answer = this.#status === 200 ? JSON.parse(this.#text) : undefined;
    if (this.isAsAgreed(answer)) this.resolve(answer);
    else this.reject(new Error(`The answer with status ${this.#status} is not as agreed`));
  }

  onResponseError(_, error) {
    this.reject(error);
  }
}

function isComputed(answer) {
  return typeof answer?.result === 'number' && typeof answer.msg === 'string';
}

function isProcessed(answer) {
  return typeof answer?.service_b === 'string' && isComputed(answer.service_c);
}
