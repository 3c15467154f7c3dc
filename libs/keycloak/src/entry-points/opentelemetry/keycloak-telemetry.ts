import { createNoopMeter, metrics, trace } from '@opentelemetry/api';
import type { ComposedKeycloak } from '../ports/call-tracing.js';
import { measureChannels } from './channel-metrics.js';
import { CallSpans } from './call-spans.js';
import { measureStatus } from './status-metrics.js';
import { traceServerCalls } from './server-spans.js';

const NAME = 'nestjs-keycloak-s2s';

export class KeycloakTelemetry {
  /**
   * All applications of a process share the diagnostics channels, so a single subscription counts each message once.
   */
  static readonly #running = new Set<ComposedKeycloak>();
  static #end: (() => void) | undefined;

  #stopFollowing: (() => void) | undefined;
  #isOver = false;

  constructor(private readonly keycloak: ComposedKeycloak) {}

  onModuleInit(): void {
    // If the application closed during its start, no later hook stops the telemetry.
    if (this.#isOver) return;
    const { version } = this.keycloak.status.read();
    KeycloakTelemetry.#running.add(this.keycloak);
    KeycloakTelemetry.#end ??= begin(version, KeycloakTelemetry.#running);
    this.#stopFollowing = this.keycloak.calls.followedBy(new CallSpans(trace.getTracer(NAME, version)));
  }

  /** Stops the telemetry in Nest's last hook, after the HTTP server has closed. */
  onApplicationShutdown(): void {
    this.#isOver = true;
    this.#stopFollowing?.();
    KeycloakTelemetry.#running.delete(this.keycloak);
    if (KeycloakTelemetry.#running.size > 0) return;
    KeycloakTelemetry.#end?.();
    KeycloakTelemetry.#end = undefined;
  }
}

function begin(version: string, running: ReadonlySet<ComposedKeycloak>): () => void {
  const statuses = () => [...running].map(({ status }) => status.read());
  const meter = metrics.getMeter(NAME, version);
  const ends = [
    // Without an SDK for metrics, no message is counted (perf: production).
    ...(meter === createNoopMeter() ? [] : [measureChannels(meter), measureStatus(meter, statuses)]),
    traceServerCalls(trace.getTracer(NAME, version), () => [...running].flatMap(({ issuers }) => issuers)),
  ];
  return () => {
    for (const end of ends) end();
  };
}
