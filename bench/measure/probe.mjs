// Measures the process that loads this file with `node --import`.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

let delay;
let pauses;
let collections;
let called = 0;
const count = () => {
  called += 1;
};
const REQUESTS = ['http.client.request.start', 'undici:request:create'];

const ANSWERS = {
  cpu() {
    return process.cpuUsage();
  },
  memory() {
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed };
  },
  delayBegin() {
    delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
  },
  /** Returns the event loop delay in milliseconds, minus the resolution of the histogram. */
  delayEnd() {
    delay.disable();
    return { p99Ms: delay.percentile(99) / 1e6 - 5, maxMs: delay.max / 1e6 - 5 };
  },
  collectionsBegin() {
    pauses = [];
    collections = new PerformanceObserver((list) => pauses.push(...list.getEntries().map(({ duration }) => duration)));
    collections.observe({ entryTypes: ['gc'] });
  },
  collectionsEnd() {
    collections.disconnect();
    return pauses;
  },
  countBegin() {
    called = 0;
    for (const channel of REQUESTS) subscribe(channel, count);
  },
  countEnd() {
    for (const channel of REQUESTS) unsubscribe(channel, count);
    return called;
  },
};

process.on('message', ({ id, ask }) => ask in ANSWERS && process.send({ id, answer: ANSWERS[ask]() }));
process.on('disconnect', () => process.exit());
