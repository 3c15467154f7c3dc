import type { ClientAuthentication } from '../client-authentication/index.js';
import type { ComponentLog, ComposedIssuer } from '../ports/signals.js';
import type { SignalSourceContext } from './signal-source.js';

export interface SignalClient {
  readonly clientId: string;
  readonly clientAuthentication: ClientAuthentication;
}

export type SourceIssuer = Pick<ComposedIssuer, 'options' | 'signalCalls' | 'clock' | 'clockSkew' | 'loggers'>;

const MAX_PROOF_EVERY_MS = 5000;
const MIN_PROOF_EVERY_MS = 500;

export function sourceContext(
  { options, signalCalls, clock, clockSkew, loggers }: SourceIssuer,
  client: SignalClient | undefined,
  log: ComponentLog,
): Omit<SignalSourceContext, 'isTrial'> {
  const { issuer, realmUrl, introspectionTtlSeconds } = options;
  const { clientId } = client ?? options;
  const clientAuthentication = client?.clientAuthentication.connect({ clock, log: loggers('ClientAuthentication') });
  const calls = signalCalls(clientAuthentication && { clientId, clientAuthentication });
  const half = (introspectionTtlSeconds * 1000) / 2;
  return {
    issuer,
    realmUrl,
    clientId,
    fetch: calls.fetch.fetch,
    login: (scope = '') => calls.tokenEndpoint.clientCredentials(scope),
    clock,
    serverSeconds: () => clock.epochSeconds() - (clockSkew.measured?.aheadSeconds ?? 0),
    proofEveryMs: Math.max(MIN_PROOF_EVERY_MS, Math.min(MAX_PROOF_EVERY_MS, half)),
    log,
  };
}
