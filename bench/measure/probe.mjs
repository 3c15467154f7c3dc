// Probe: loaded into a measured process before its program (`node --import`); answers the bench's questions about it.
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks';

let delay;
let pauses;
let collections;
let called = 0;
const count = () => {
  called += 1;
};
/** Requests that the process makes, by node:http (axios with it) and by undici (fetch with it). */
const REQUESTS = ['http.client.request.start', 'undici:request:create'];

const ANSWERS = {
  /** Microseconds of CPU, all threads of the process. */
  cpu() {
    return process.cpuUsage();
  },
  /** Bytes. */
  memory() {
    const { rss, heapUsed } = process.memoryUsage();
    return { rss, heapUsed };
  },
  delayBegin() {
    delay = monitorEventLoopDelay({ resolution: 5 });
    delay.enable();
  },
  /** Milliseconds beyond the histogram's own resolution. */
  delayEnd() {
    delay.disable();
    return { p99Ms: delay.percentile(99) / 1e6 - 5, maxMs: delay.max / 1e6 - 5 };
  },
  /** Notes the collections of garbage from now on. */
  collectionsBegin() {
    pauses = [];
    collections = new PerformanceObserver((list) => pauses.push(...list.getEntries().map(({ duration }) => duration)));
    collections.observe({ entryTypes: ['gc'] });
  },
  /** Milliseconds of each since. */
  collectionsEnd() {
    collections.disconnect();
    return pauses;
  },
  countBegin() {
    called = 0;
    for (const channel of REQUESTS) subscribe(channel, count);
  },
  /** How many it made since. */
  countEnd() {
    for (const channel of REQUESTS) unsubscribe(channel, count);
    return called;
  },
};

process.on('message', ({ id, ask }) => ask in ANSWERS && process.send({ id, answer: ANSWERS[ask]() }));
// Whatever became of the bench, nothing that it started outlives it.
process.on('disconnect', () => process.exit());
