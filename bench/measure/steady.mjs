import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';

const TICK_MS = 20;
/** More requests are not sent, because a busy machine would never catch up with them. */
const MAX_IN_FLIGHT = 150;

/**
 * Sends `rate` requests a second of each kind that is on, to the replicas in turn. A kind has the members `name`,
 * `path`, `tokens` and `isOn`. `rate` and the kinds may change meanwhile.
 */
export class SteadyLoad {
  /** `status` is 0 if the connection failed. `code` is the code of a refusal. */
  answers = [];
  #pools;
  #over = new AbortController();
  #inFlight = new Set();
  #running;

  constructor(urls, kinds, rate) {
    this.#pools = urls.map((url) => new Pool(url, { headersTimeout: 30_000, bodyTimeout: 30_000 }));
    this.kinds = kinds;
    this.rate = rate;
    this.#running = this.#run();
  }

  async end() {
    this.#over.abort();
    await this.#running;
    await Promise.all(this.#inFlight);
    await Promise.all(this.#pools.map((pool) => pool.destroy()));
    return this.answers;
  }

  async #run() {
    let [rounds, owed, lastMs] = [0, 0, performance.now()];
    while (!this.#over.signal.aborted) {
      const nowMs = performance.now();
      owed += Math.min(1, (nowMs - lastMs) / 1000) * this.rate;
      lastMs = nowMs;
      for (; owed >= 1; owed -= 1, rounds += 1) {
        for (const kind of this.kinds) if (kind.isOn) this.#send(kind, rounds);
      }
      await sleep(TICK_MS, undefined, { signal: this.#over.signal }).catch(() => undefined);
    }
  }

  #send({ name, path, tokens }, round) {
    if (this.#inFlight.size >= MAX_IN_FLIGHT) return;
    const sentMs = performance.now();
    const authorization = tokens && `Bearer ${tokens[round % tokens.length]}`;
    const headers = { accept: 'application/json', ...(authorization && { authorization }) };
    // The replica changes after a whole round of tokens too, so that each replica receives each token.
    const at = round + Math.floor(round / (tokens?.length ?? 1));
    const pool = this.#pools[at % this.#pools.length];
    const sent = this.#note(name, sentMs, answerOf(pool, { method: 'GET', path, headers }));
    this.#inFlight.add(sent);
    void sent.finally(() => this.#inFlight.delete(sent));
  }

  async #note(kind, sentMs, answer) {
    this.answers.push({ kind, sentMs, ...(await answer) });
  }
}

async function answerOf(pool, request) {
  try {
    const { statusCode: status, body } = await pool.request(request);
    if (status === 200) await body.dump();
    return { status, code: status === 200 ? undefined : (await body.json()).code };
  } catch {
    return { status: 0, code: 'connection' };
  }
}
