/** KeycloakTelemetry: from the start of an application to its end, its part in the telemetry of this process. */
import { metrics, trace } from '@opentelemetry/api';
import type { ComposedKeycloak } from '../ports/call-tracing.js';
import { measureChannels } from './channel-metrics.js';
import { CallSpans } from './call-spans.js';
import { measureStatus } from './status-metrics.js';
import { traceServerCalls } from './server-spans.js';

const NAME = 'nestjs-keycloak-s2s';

export class KeycloakTelemetry {
  /** Of all applications of this process: the channels are of the process, and each message counts once. */
  static readonly #running = new Set<ComposedKeycloak>();
  static #end: (() => void) | undefined;

  #stopFollowing: (() => void) | undefined;
  #isOver = false;

  constructor(private readonly keycloak: ComposedKeycloak) {}

  /** Nest calls it when the application starts, and not where a module is only looked at. */
  onModuleInit(): void {
    // An application may be closed while it starts: then nobody would end what begins now.
    if (this.#isOver) return;
    const { version } = this.keycloak.status.read();
    KeycloakTelemetry.#running.add(this.keycloak);
    KeycloakTelemetry.#end ??= begin(version, KeycloakTelemetry.#running);
    this.#stopFollowing = this.keycloak.calls.followedBy(new CallSpans(trace.getTracer(NAME, version)));
  }

  /** The last of Nest's hooks: what was in flight has ended. */
  onApplicationShutdown(): void {
    this.#isOver = true;
    this.#stopFollowing?.();
    KeycloakTelemetry.#running.delete(this.keycloak);
    if (KeycloakTelemetry.#running.size > 0) return;
    KeycloakTelemetry.#end?.();
    KeycloakTelemetry.#end = undefined;
  }
}

/** Returns what ends it. */
function begin(version: string, running: ReadonlySet<ComposedKeycloak>): () => void {
  // The API gives the meter of now: one of an SDK that is registered later never comes.
  const meter = metrics.getMeter(NAME, version);
  const ends = [
    measureChannels(meter),
    measureStatus(meter, () => [...running].map(({ status }) => status.read())),
    traceServerCalls(trace.getTracer(NAME, version), () => [...running].flatMap(({ issuers }) => issuers)),
  ];
  return () => {
    for (const end of ends) end();
  };
}
