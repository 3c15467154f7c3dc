import { Pool } from 'undici';

const TICK_MS = 1;

/** `request` is an object `{ method, path, headers, body }`, or a function from an index to this object. */
export async function closedLoop({ url, request, connections = 16, seconds = Infinity, requests = Infinity, signal }) {
  const target = new Target(url, connections, request);
  const until = performance.now() + seconds * 1000;
  const worker = async () => {
    while (target.sent < requests && performance.now() < until && !stopped(signal)) {
      await target.send(performance.now());
    }
  };
  await Promise.all(Array.from({ length: connections }, worker));
  return target.end();
}

/** Measures each latency from the due time of the request, so that the latency includes queueing. */
export async function atRate({ url, request, rate, seconds, connections = 64, signal }) {
  const target = new Target(url, connections, request);
  const total = Math.round(rate * seconds);
  const began = performance.now();
  const answers = [];
  while (target.sent < total && !stopped(signal)) {
    const due = Math.min(total, Math.floor(((performance.now() - began) / 1000) * rate) + 1);
    while (target.sent < due) answers.push(target.send(began + (target.sent * 1000) / rate));
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(answers);
  return target.end();
}

const stopped = (signal) => signal?.aborted === true;

class Target {
  sent = 0;
  #began = performance.now();
  /** The status of an answer is 0 if the connection failed. */
  #answers = [];

  constructor(url, connections, request) {
    this.origin = new URL(url).origin;
    this.pool = new Pool(this.origin, { connections, pipelining: 1, headersTimeout: 30_000, bodyTimeout: 30_000 });
    this.next = typeof request === 'function' ? request : () => request;
  }

  send(dueMs) {
    const { method = 'GET', path, headers, body } = this.next(this.sent);
    this.sent += 1;
    return new Promise((resolve) => {
      let status = 0;
      const end = () => {
        this.#answers.push({ status, sentMs: dueMs, latencyMs: performance.now() - dueMs });
        resolve();
      };
      this.pool.dispatch(
        { method, path, headers, body },
        {
          onRequestStart() {},
          onResponseStart(_, code) {
            status = code;
          },
          onResponseData() {},
          onResponseEnd: end,
          onResponseError() {
            status = 0;
            end();
          },
        },
      );
    });
  }

  async end() {
    const seconds = (performance.now() - this.#began) / 1000;
    await this.pool.destroy();
    const statuses = {};
    for (const { status } of this.#answers) statuses[status] = (statuses[status] ?? 0) + 1;
    return { requests: this.#answers.length, seconds, statuses, answers: this.#answers };
  }
}

export function allAnswered({ statuses }, status = 200) {
  const others = Object.keys(statuses).filter((code) => Number(code) !== status);
  if (others.length > 0) throw new Error(`Not all were answered ${status}: ${JSON.stringify(statuses)}`);
}
