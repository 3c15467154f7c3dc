/** Event stream: finds or creates this service's stream, and checks the settings (SSF 1.0 §8.1). */
import { AuthorizationServerError } from '../../ports/signals.js';
import { identifier } from '../identifiers.js';
import { SignalSourceError } from '../signal-source.js';
import { CREDENTIAL_CHANGE, SESSION_REVOKED } from './event-types.js';
import type { ResolvedSharedSignalsOptions } from './shared-signals.options.js';
import { isObject, texts, unexpected, type JsonObject } from './transmitter-answers.js';
import type { Answer, TransmitterClient } from './transmitter-client.js';
import {
  endpoint,
  POLL_DELIVERY,
  type TransmitterAddress,
  type TransmitterConfiguration,
} from './transmitter-configuration.js';

export interface EventStream {
  readonly id: string;
  readonly pollUrl: string;
  readonly audiences: readonly string[];
  readonly minVerificationMs: number;
  readonly fault: SignalSourceError | undefined;
}

interface StreamReader extends TransmitterAddress {
  readonly clientId: string;
  readonly isTrial: boolean;
}

const KEYCLOAK_STREAMS = '/ssf/transmitter/streams';

export class EventStreams {
  constructor(
    private readonly client: TransmitterClient,
    private readonly reader: StreamReader,
    private readonly options: Pick<ResolvedSharedSignalsOptions, 'streamId' | 'audience'>,
  ) {}

  async find(configuration: TransmitterConfiguration): Promise<EventStream> {
    const found = (await this.#named(configuration)) ?? (await this.#made(configuration));
    return this.#read(found, configuration);
  }

  async statusFault(
    { statusUrl }: TransmitterConfiguration,
    { id }: EventStream,
  ): Promise<SignalSourceError | undefined> {
    const url = new URL(statusUrl);
    url.searchParams.set('stream_id', id);
    const { status, body } = await this.client.get(url.href).catch(withoutStatus);
    if (status === 404) return missing('The stream no longer exists. The service creates a new one.');
    if (status !== 200) throw unexpected(`The transmitter answers ${status} for the status of the stream.`);
    switch (Object(body)['status']) {
      case 'enabled':
        return undefined;
      case 'paused':
        return new SignalSourceError('stream_paused', 'The stream is paused. To resume it, set its status to enabled.');
      case 'disabled':
        return new SignalSourceError(
          'stream_disabled',
          'The stream is disabled. To start it, set its status to enabled.',
        );
      default:
        throw unexpected('The transmitter does not report the status of the stream.');
    }
  }

  async #named({ streamsUrl }: TransmitterConfiguration): Promise<JsonObject | undefined> {
    const { status, body } = await this.client.get(streamsUrl);
    if (status !== 200 && status !== 404)
      throw unexpected(`The transmitter answers ${status} for the streams of this client.`);
    const all = status === 404 ? [] : [body].flat();
    if (!all.every(isObject)) throw unexpected('The transmitter returns no valid list of streams for this client.');
    const { streamId } = this.options;
    if (streamId !== undefined) {
      const named = all.find((stream) => stream['stream_id'] === streamId);
      if (named === undefined) throw missing('This client has no stream with the id in the option streamId.');
      return named;
    }
    const polled = all.filter(({ delivery }) => Object(delivery)['method'] === POLL_DELIVERY);
    if (polled.length > 1) {
      const hint = 'This client has several streams for polling. Choose one with the option streamId.';
      throw new SignalSourceError('stream_ambiguous', hint);
    }
    return polled[0];
  }

  async #made(configuration: TransmitterConfiguration): Promise<JsonObject> {
    if (this.reader.isTrial) throw new SignalSourceError('stream_not_made', 'The service creates it when it starts.');
    const { status, body } = await this.client.post(configuration.streamsUrl, {
      delivery: { method: POLL_DELIVERY },
      events_requested: [SESSION_REVOKED, CREDENTIAL_CHANGE],
    });
    if (status === 201 && isObject(body)) return body;
    if (status !== 409) throw unexpected(`The transmitter answers ${status} when this client creates a stream.`);
    const named = await this.#named(configuration);
    if (named === undefined) {
      throw missing(
        'This client already has a stream that is not for polling. Delete that stream, or use another client.',
      );
    }
    return named;
  }

  #read(stream: JsonObject, configuration: TransmitterConfiguration): EventStream {
    const { issuer } = this.reader;
    const id = identifier(stream['stream_id']);
    if (id === undefined) throw unexpected('The stream has no id.');
    if (!(stream['iss'] === undefined || stream['iss'] === issuer)) {
      throw unexpected(
        'The stream has another issuer than the configured one. With Keycloak, set a fixed host name (--hostname).',
      );
    }
    const { audience } = this.options;
    const seconds = stream['min_verification_interval'];
    return {
      id,
      pollUrl: this.#pollUrl(Object(stream['delivery'])['endpoint_url'], id, configuration),
      audiences: audience === undefined ? texts(stream['aud']) : [audience],
      minVerificationMs: typeof seconds === 'number' && seconds > 0 ? seconds * 1000 : 0,
      fault: this.#faultOf(stream, configuration),
    };
  }

  /** Keycloak may return any text as the polling address of a stream that was imported from a realm file. */
  #pollUrl(given: unknown, id: string, { streamsUrl }: TransmitterConfiguration): string {
    const isUrl = typeof given === 'string' && URL.canParse(given);
    if (isUrl || !streamsUrl.endsWith(KEYCLOAK_STREAMS)) {
      return endpoint("stream's delivery.endpoint_url", given, this.reader);
    }
    const base = streamsUrl.slice(0, -'/streams'.length);
    return `${base}/receivers/${encodeURIComponent(this.reader.clientId)}/streams/${encodeURIComponent(id)}/poll`;
  }

  #faultOf(stream: JsonObject, { defaultSubjects }: TransmitterConfiguration): SignalSourceError | undefined {
    const { audience } = this.options;
    const named = texts(stream['aud']);
    if (audience === undefined ? named.length === 0 : !named.includes(audience)) {
      return new SignalSourceError(
        'audience_missing',
        'The tokens of the stream have no audience or another one. With Keycloak, set ssf.stream.aud and ssf.stream.delivery.endpointUrl of this client.',
      );
    }
    if (!texts(stream['events_delivered']).includes(SESSION_REVOKED)) {
      return new SignalSourceError(
        'events_not_delivered',
        `The stream does not deliver session-revoked. With Keycloak, set ssf.stream.eventsRequested and ssf.stream.eventsDelivered of this client.`,
      );
    }
    const subjects = stream['default_subjects'] ?? defaultSubjects;
    if (subjects === undefined || subjects === 'ALL') return undefined;
    return new SignalSourceError(
      'subjects_not_all',
      'The stream reports only selected users. With Keycloak, set ssf.defaultSubjects of this client to ALL.',
    );
  }
}

const missing = (hint: string): SignalSourceError => new SignalSourceError('stream_missing', hint);

/** Keycloak answers 500 for an imported stream without a status. */
function withoutStatus(error: unknown): Answer {
  if (!(error instanceof AuthorizationServerError) || !error.reason.startsWith('answered_500')) throw error;
  throw unexpected(
    'The transmitter does not report the status of the stream. With Keycloak, set ssf.stream.status of this client.',
  );
}
