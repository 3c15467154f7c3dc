import type { KeycloakModuleOptions } from 'nestjs-keycloak-s2s';
import {
  keycloakEvents,
  sharedSignals,
  type RevocationEventsModuleOptions,
  type SignalSource,
} from 'nestjs-keycloak-s2s/signals';
import { readClientSettings } from './client-settings.js';
import type { Variables } from './variables.js';

/**
 * `own`: the process only polls, with its own client. `shared`: the service may poll, with a separate client for
 * polling.
 */
export type SignalsDescription = 'own' | 'shared';

export interface SignalsContext {
  readonly signals: SignalsDescription | undefined;
  readonly introspectionTtlSeconds: number;
  readonly hasChannel: boolean;
  readonly demoMode: boolean;
}

export interface SignalsSettings {
  readonly keycloak: Pick<KeycloakModuleOptions, 'introspectionTtlWithEventsSeconds'>;
  readonly signals?: RevocationEventsModuleOptions;
}

const SOURCES: Readonly<Record<string, () => SignalSource>> = {
  events: () => keycloakEvents(),
  ssf: () => sharedSignals(),
};

const NO_SOURCE = 'none';
const CLIENT = 'signal-poller';
const CLIENT_PREFIX = 'SIGNAL_POLLER';

/** A TTL above the lifetime of the demonstration's tokens would have no effect. */
const MAX_TTL_SECONDS = 300;

export function readSignalsSettings(variables: Variables, context: SignalsContext): SignalsSettings {
  const keycloak = readLongTtl(variables, context.introspectionTtlSeconds);
  const { signals } = context;
  if (signals === undefined) return { keycloak };
  const sources = readSources(variables, signals === 'own' ? 'events' : NO_SOURCE);
  if (signals === 'own') {
    if (sources.length === 0) variables.fault(`SIGNAL_SOURCES must name one of ${Object.keys(SOURCES).join(', ')}`);
    if (!context.hasChannel) {
      variables.fault(
        'SHARED_STATE_URL or SHARED_STATE_URL_FILE must be set: over it the services learn about revocations',
      );
    }
  }
  if (sources.length === 0) return { keycloak };
  const servesLonger = signals === 'own' || keycloak.introspectionTtlWithEventsSeconds !== undefined;
  const pollSeconds = readPollSeconds(variables, servesLonger ? context.introspectionTtlSeconds : 0);
  if (signals === 'own') return { keycloak, signals: { sources, pollSeconds } };
  const clientId = variables.text('SIGNALS_CLIENT_ID', CLIENT);
  const client = { clientId, ...readClientSettings(variables, CLIENT_PREFIX, context.demoMode).keycloak };
  return { keycloak, signals: { sources, pollSeconds, client } };
}

export const isPoller = (variables: Variables, signals: SignalsDescription | undefined): boolean =>
  signals === 'own' || (signals === 'shared' && variables.text('SIGNAL_SOURCES', NO_SOURCE) !== NO_SOURCE);

function readLongTtl(variables: Variables, ttlSeconds: number): SignalsSettings['keycloak'] {
  if (variables.text('INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS', '') === '') return {};
  const longSeconds = variables.wholeNumber(
    'INTROSPECTION_TTL_WHILE_SIGNALLED_SECONDS',
    0,
    MAX_TTL_SECONDS,
    ttlSeconds,
  );
  const isLonger = ttlSeconds > 0 && longSeconds > ttlSeconds;
  return isLonger ? { introspectionTtlWithEventsSeconds: longSeconds } : {};
}

function readSources(variables: Variables, fallback: string): readonly SignalSource[] {
  const words = variables.text('SIGNAL_SOURCES', fallback).split(/ +/);
  if (words.length === 1 && words[0] === NO_SOURCE) return [];
  const isKnown = words.every((word) => Object.hasOwn(SOURCES, word)) && new Set(words).size === words.length;
  if (!isKnown) {
    const known = Object.keys(SOURCES).join(', ');
    variables.fault(
      `SIGNAL_SOURCES must be ${NO_SOURCE}, or a list without repetition, separated by spaces, of ${known}`,
    );
  }
  return words.flatMap((word) => SOURCES[word]?.() ?? []);
}

/** The poll interval must be shorter than `ttlSeconds`, the validity of a poller's proof. */
function readPollSeconds(variables: Variables, ttlSeconds: number): number {
  const text = variables.text('SIGNALS_POLL_SECONDS', ttlSeconds === 1 ? '0.5' : '1');
  const seconds = /^\d{1,2}(\.\d{1,3})?$/.test(text) ? Number(text) : NaN;
  if (!(seconds >= 0.2 && seconds <= 10)) variables.fault('SIGNALS_POLL_SECONDS must be a number from 0.2 to 10');
  else if (ttlSeconds > 0 && seconds >= ttlSeconds) {
    variables.fault(`SIGNALS_POLL_SECONDS must be less than INTROSPECTION_TTL_SECONDS, which is ${ttlSeconds}`);
  }
  return seconds;
}
