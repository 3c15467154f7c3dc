/** Allows errors while the machine stalls, so a slow machine does not fail the run. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ReplicatedServices } from '../support/replicated-services.js';
import { AUTHORIZATION_SERVER, VALKEY } from './faults.js';
import type { History } from './history.js';
import type { FaultKind } from './schedule.js';

const EVERY_MS = 100;
/** A probe on an idle machine takes much less time. The shortest deadline of a service is 1 s. */
const STALLED_AFTER_MS = 200;

interface Probed {
  readonly name: string;
  readonly like: FaultKind;
  readonly probe: () => Promise<unknown>;
}

export class Stalls {
  readonly #beganMs = new Map<string, number>();

  private constructor(private readonly history: History) {}

  /** The URL `serverUrl` must not lead through the fault proxy. */
  static watch(history: History, services: ReplicatedServices, serverUrl: string, signal: AbortSignal): Stalls {
    const stalls = new Stalls(history);
    for (const probed of probedIn(services, serverUrl)) void stalls.#watch(probed, signal);
    return stalls;
  }

  async recordedUntil(ms: number): Promise<void> {
    while ([...this.#beganMs.values()].some((beganMs) => beganMs <= ms)) await sleep(EVERY_MS);
  }

  async #watch({ name, like, probe }: Probed, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const beganMs = performance.now();
      this.#beganMs.set(name, beganMs);
      await probe().catch(() => undefined);
      const endedMs = performance.now();
      const isStall = endedMs - beganMs > STALLED_AFTER_MS && !this.history.wasStopped(name, beganMs, endedMs);
      if (isStall) this.history.addStall(like, name, beganMs - EVERY_MS, endedMs);
      this.#beganMs.delete(name);
      await sleep(EVERY_MS);
    }
  }
}

function probedIn(services: ReplicatedServices, serverUrl: string): Probed[] {
  return [
    ...services.replicas.map(({ name, url }): Probed => {
      return { name, like: 'replica-frozen', probe: () => get(`${url}/health/live`) };
    }),
    { name: 'HAProxy', like: 'replica-frozen', probe: () => services.haproxy.sentTo('service-a') },
    { name: VALKEY, like: 'store-frozen', probe: () => services.valkey.command(['PING']) },
    { name: AUTHORIZATION_SERVER, like: 'server-slow', probe: () => get(serverUrl) },
  ];
}

const get = async (url: string): Promise<unknown> => (await fetch(url)).arrayBuffer();
