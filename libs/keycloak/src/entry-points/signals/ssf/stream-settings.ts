import { AuthorizationServerError } from '../../ports/signals.js';
import { SignalSourceError, type SignalSourceContext } from '../signal-source.js';
import { EventStreams, type EventStream } from './event-stream.js';
import type { ResolvedSharedSignalsOptions } from './shared-signals.options.js';
import { unexpected } from './transmitter-answers.js';
import type { TransmitterClient } from './transmitter-client.js';
import { readConfiguration, type TransmitterConfiguration } from './transmitter-configuration.js';

const EVERY_MS = 60_000;

/** The maximum time between two verifications, because cached results would otherwise expire before the next proof. */
const MAX_VERIFICATION_MS = 10_000;

export interface SettingsOfStream {
  readonly configuration: TransmitterConfiguration;
  readonly stream: EventStream;
  readonly fault: SignalSourceError | undefined;
  readonly isCurrent: boolean;
}

type Options = Omit<ResolvedSharedSignalsOptions, 'configurationUrl'> & { readonly configurationUrl: string };

export class StreamSettings {
  readonly #streams: EventStreams;
  #held: SettingsOfStream | undefined;
  #readAtMs = -Infinity;
  #keysUrl: string | undefined;
  #isSeldomSaid = false;

  constructor(
    private readonly client: TransmitterClient,
    private readonly context: Pick<SignalSourceContext, 'issuer' | 'realmUrl' | 'clientId' | 'log' | 'isTrial'>,
    private readonly options: Options,
  ) {
    this.#streams = new EventStreams(client, context, options);
  }

  async read(beganMs: number): Promise<SettingsOfStream> {
    const held = this.#held;
    if (held !== undefined && beganMs < this.#readAtMs + EVERY_MS) return held;
    try {
      this.#held = await this.#read();
      this.#readAtMs = beganMs;
      return this.#held;
    } catch (error) {
      if (held !== undefined && error instanceof AuthorizationServerError) return { ...held, isCurrent: false };
      throw error;
    }
  }

  expire(): void {
    this.#readAtMs = -Infinity;
  }

  forget(): void {
    this.#held = undefined;
  }

  async requireEnabled({ configuration, stream }: SettingsOfStream): Promise<void> {
    const fault = await this.#streams.statusFault(configuration, stream);
    if (fault !== undefined) throw fault;
  }

  async readKeys(): Promise<unknown> {
    const url = this.#keysUrl ?? (await this.#read()).configuration.keysUrl;
    const { status, body } = await this.client.published(url);
    if (status !== 200) throw AuthorizationServerError.answered(status, 'unexpected_status');
    return body;
  }

  async #read(): Promise<SettingsOfStream> {
    const { status, body } = await this.client.published(this.options.configurationUrl);
    if (status === 404) {
      throw new SignalSourceError(
        'ssf_not_offered',
        'The server offers no transmitter. Start Keycloak with --features=ssf, and set the attribute ssf.transmitterEnabled of the realm.',
      );
    }
    if (status !== 200) throw unexpected(`The transmitter answers ${status} for its configuration.`);
    const configuration = readConfiguration(body, this.context);
    this.#keysUrl = configuration.keysUrl;
    const stream = await this.#streams.find(configuration);
    this.#sayIfSeldom(stream);
    const fault = stream.fault ?? (await this.#streams.statusFault(configuration, stream));
    return { configuration, stream, fault, isCurrent: true };
  }

  #sayIfSeldom({ minVerificationMs }: EventStream): void {
    const isSeldom = minVerificationMs > MAX_VERIFICATION_MS;
    if (isSeldom && !this.#isSeldomSaid) {
      const words =
        'The stream may be verified too seldom, so the feed is healthy only part of the time. Set ssf.minVerificationInterval of this client to 5';
      this.context.log.warn(words, { seconds: minVerificationMs / 1000 });
    }
    this.#isSeldomSaid = isSeldom;
  }
}
