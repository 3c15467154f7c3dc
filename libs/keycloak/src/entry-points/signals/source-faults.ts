import { setTimeout as sleep } from 'node:timers/promises';
import { loggedFields, KeycloakException, type FeedFault } from '../ports/signals.js';
import { SignalSourceError, type ConnectedSignalSource } from './signal-source.js';

/** The maximum number of trial polls, because a requested proof may arrive only at a later poll. */
const TRIAL_POLLS = 3;
const TRIAL_PAUSE_MS = 500;

export async function triedOnce(source: ConnectedSignalSource): Promise<FeedFault | undefined> {
  for (let poll = 1; ; poll += 1) {
    try {
      const { isHealthy, fault } = await source.poll(0);
      if (isHealthy) return undefined;
      if (poll === TRIAL_POLLS) return fault === undefined ? { reason: 'not_proven' } : reasonOf(fault);
    } catch (error) {
      return reasonOf(error);
    }
    await sleep(TRIAL_PAUSE_MS);
  }
}

export const isPassing = (error: unknown): boolean =>
  error instanceof KeycloakException && error.code === 'authorization_server_unavailable';

export function reasonOf(error: unknown): FeedFault & Readonly<Record<string, unknown>> {
  if (error instanceof SignalSourceError) return { reason: error.reason, hint: error.hint };
  if (error instanceof KeycloakException) return { reason: error.reason, ...loggedFields(error) };
  // An unknown error may contain any text, so only the name is logged.
  return { reason: 'unexpected', name: error instanceof Error ? error.name : typeof error };
}
