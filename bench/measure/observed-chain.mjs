import { freePort } from '../../libs/keycloak-test-servers/dist/index.js';
import { RUN_CHAIN, startChain } from './chain.mjs';
import { closedLoop } from './load.mjs';
import { inTurn } from './user-tokens.mjs';

const SCRAPE_EVERY_MS = 5000;
const LOOK_EVERY_MS = 50;

/** With `isScraped`, the load includes reading the metrics like Prometheus, from `metricsPath` or the management port. */
export const observedChain = (name, { keycloak, signal }, options) => ({
  name,
  async start() {
    const { tokens, sampledUntil, preloads = [], env = {}, isScraped = false, metricsPath, prepare, program } = options;
    await prepare?.();
    const ports = isScraped ? await managementPorts() : undefined;
    const chain = await startChain(keycloak, {
      program,
      env: (service) => ({ ...env, ...(ports === undefined ? {} : management(ports[service])) }),
      nodeArgs: () => preloads.flatMap((file) => ['--import', `./bench/preloads/${file}.mjs`]),
      signal,
    });
    const request = inTurn(tokens, RUN_CHAIN, sampledUntil);
    const own = [chain.a, chain.b, chain.c].map(({ url }) => `${url}${metricsPath}`);
    const managed = Object.values(ports ?? {}).map((port) => `http://127.0.0.1:${port}/metrics`);
    const scraped = !isScraped ? [] : metricsPath === undefined ? managed : own;
    const send = (requests) => closedLoop({ url: chain.a.url, request, requests, signal });
    return { processes: chain.processes, load: scraping(scraped, send) };
  },
});

const management = (port) => ({ MANAGEMENT_PORT: String(port), MANAGEMENT_HOST: '127.0.0.1' });

async function managementPorts() {
  const ports = {};
  for (const service of ['service-a', 'service-b', 'service-c']) ports[service] = await freePort();
  return ports;
}

/** Counts only the time of the load, since a slice of requests takes less than the time between two scrapes. */
function scraping(urls, send) {
  let loadedMs = 0;
  let scrapes = 0;
  return async (requests) => {
    const beganMs = performance.now();
    const reads = [];
    const timer = setInterval(() => {
      if (loadedMs + performance.now() - beganMs < (scrapes + 1) * SCRAPE_EVERY_MS) return;
      scrapes += 1;
      for (const url of urls) reads.push(read(url));
    }, LOOK_EVERY_MS);
    try {
      const result = await send(requests);
      await Promise.all(reads);
      return result;
    } finally {
      clearInterval(timer);
      loadedMs += performance.now() - beganMs;
    }
  };
}

async function read(url) {
  const answer = await fetch(url);
  const metrics = await answer.text();
  if (!answer.ok || !metrics.includes('# TYPE')) throw new Error(`${url} answers ${answer.status}`);
}
