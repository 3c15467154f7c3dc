import { createAuthorizationServer } from '../src/authorization-server/create-authorization-server.js';
import { FixedSecret } from '../src/client-authentication/client-authentication.js';
import type { ComponentLog } from '../src/resilience/component-log.js';
import { systemClock } from '../src/caching/clock.js';
import {
  sharedSignals,
  type ConnectedSignalSource,
  type SharedSignalsOptions,
} from '../src/entry-points/signals/index.js';
import type { SsfTransmitter } from './ssf-transmitter.js';
import type { StillClock } from './still-clock.js';

const PROOF_EVERY_MS = 5000;

export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface SourceSurroundings {
  readonly clock: StillClock;
  readonly lines?: LoggedLine[];
  readonly timeoutMs?: number;
  readonly isTrial?: boolean;
}

export function connectedSource(
  transmitter: SsfTransmitter,
  { clock, lines = [], timeoutMs = 20_000, isTrial = false }: SourceSurroundings,
  options: SharedSignalsOptions = { configurationUrl: transmitter.configurationUrl },
): ConnectedSignalSource {
  const { issuer, realmUrl } = transmitter;
  const { signalCalls } = createAuthorizationServer(
    {
      issuer,
      realmUrl,
      clientId: 'receiver',
      clientAuthentication: new FixedSecret('hush-hush'),
      allowInsecureRequests: true,
      expectedDefaultScopes: [],
      timeoutMs,
      maxConcurrentCalls: 20,
      maxQueuedCalls: 20,
      maxRetries: 0,
      circuitBreakerFailures: 5,
      circuitBreakerPauseMs: 60_000,
    },
    systemClock,
  );
  const at =
    (level: string): ComponentLog['log'] =>
    (message, fields) =>
      void lines.push({ level, message, fields: { ...fields } });
  return sharedSignals(options).connect({
    issuer,
    realmUrl,
    clientId: 'receiver',
    fetch: signalCalls().fetch.fetch,
    login: transmitter.login,
    clock,
    serverSeconds: () => (transmitter.logins === 0 ? clock.epochSeconds() : transmitter.now),
    isTrial,
    proofEveryMs: PROOF_EVERY_MS,
    log: { log: at('log'), warn: at('warn'), error: at('error') },
  });
}
