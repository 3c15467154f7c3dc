import { AuthorizationServerError } from '../../ports/signals.js';
import {
  SignalSourceError,
  type ConnectedSignalSource,
  type Signals,
  type SignalSource,
  type SignalSourceContext,
} from '../signal-source.js';
import { FaultySets } from './faulty-sets.js';
import { ReceivedSets, type ReceivedEvents } from './received-sets.js';
import { MAX_GAP_MS, OutstandingSets, type ReadSets } from './outstanding-sets.js';
import { SecurityEventTokens } from './security-event-tokens.js';
import {
  cantBeUsed,
  resolveSharedSignalsOptions,
  type ResolvedSharedSignalsOptions,
  type SharedSignalsOptions,
} from './shared-signals.options.js';
import { StreamProof } from './stream-proof.js';
import { StreamSettings, type SettingsOfStream } from './stream-settings.js';
import { TransmitterClient } from './transmitter-client.js';

/** The time after which an unknown key is a fault, because the service has read the keys again by then. */
const UNDECIDED_IS_A_FAULT_MS = 30_000;

/**
 * Reads a Shared Signals stream for `RevocationEventsModule` (SSF 1.0, CAEP 1.0, RFC 8936, RFC 8417). Keycloak 26.7
 * needs `--features=ssf`. The client needs a service account, the optional scopes `ssf.read` and `ssf.manage`, and
 * attributes (docs/event-feed.md#shared-signals). The service creates a stream if the client has none.
 *
 * Keycloak 26.7 reports logouts and "sign out", but not disabled or deleted users. For disabled and deleted users, add
 * `keycloakEvents()` or choose an acceptable TTL for cached results.
 *
 * An empty response proves nothing, so the service requests a verification event at least every five seconds. Several
 * replicas may read one stream.
 *
 * Throws `ConfigurationError`.
 *
 * @experimental
 */
export function sharedSignals(options: SharedSignalsOptions = {}): SignalSource {
  const resolved = resolveSharedSignalsOptions(options);
  return { name: 'shared_signals', connect: (context) => new SharedSignals(context, resolved) };
}

class SharedSignals implements ConnectedSignalSource {
  readonly #settings: StreamSettings;
  readonly #tokens: SecurityEventTokens;
  readonly #outstanding: OutstandingSets;
  readonly #received: ReceivedSets;
  readonly #proof: StreamProof;
  #isInDoubt = false;

  /** Throws `ConfigurationError`. */
  constructor(
    private readonly context: SignalSourceContext,
    options: ResolvedSharedSignalsOptions,
  ) {
    const { clock, log, issuer, realmUrl, proofEveryMs, isTrial } = context;
    const origins = [issuer, realmUrl].map((url) => new URL(url).origin);
    const { configurationUrl = `${realmUrl.replace(/\/$/, '')}/.well-known/ssf-configuration` } = options;
    if (!origins.includes(new URL(configurationUrl).origin)) {
      throw cantBeUsed(['configurationUrl must have the origin of issuer or internalServerUrl']);
    }
    const client = new TransmitterClient(context, options.scope);
    this.#settings = new StreamSettings(client, context, { ...options, configurationUrl });
    this.#tokens = new SecurityEventTokens({ readKeys: async () => this.#settings.readKeys(), clock, log });
    this.#outstanding = new OutstandingSets(client, clock, isTrial);
    this.#received = new ReceivedSets(this.#tokens, this.#outstanding, new FaultySets(clock, log));
    this.#proof = new StreamProof(client, proofEveryMs);
  }

  async poll(sinceMs: number): Promise<Signals> {
    try {
      const signals = await this.#poll(sinceMs);
      if (signals.fault !== undefined) this.#settings.expire();
      this.#isInDoubt = signals.fault !== undefined;
      return signals;
    } catch (error) {
      if (error instanceof SignalSourceError) {
        this.#settings.forget();
        this.#outstanding.startAnew();
        this.#isInDoubt = true;
      }
      throw error;
    }
  }

  async #poll(sinceMs: number): Promise<Signals> {
    const { clock, serverSeconds, issuer } = this.context;
    const beganMs = clock.monotonicMs();
    const settings = await this.#settings.read(beganMs);
    const { configuration, stream } = settings;
    await this.#tokens.ready();
    // Request the verification before the read: the stream delivers all earlier events first.
    const askFault = await faultOf(this.#proof.ask(beganMs, configuration.verificationUrl, stream));
    // Read the server's time only after the first token response, which contains the time.
    const began = { beganMs, serverSeconds: serverSeconds() - (clock.monotonicMs() - beganMs) / 1000 };
    const read = await this.#outstanding.read(stream.pollUrl, beganMs);
    const { criticalMembers } = configuration;
    const { audiences, id: streamId } = stream;
    const received = await this.#received.receive(read.sets, began, { issuer, audiences, streamId, criticalMembers });
    for (const { state, issuedAt } of received.verifications) this.#proof.received(state, issuedAt, began);
    return this.#signalsOf(sinceMs, beganMs, settings, askFault, read, received);
  }

  /** Returns a server failure in `fault`, because a rejection would lose the events that were read. */
  async #signalsOf(
    sinceMs: number,
    beganMs: number,
    settings: SettingsOfStream,
    askFault: SignalSourceError | 'unknown' | undefined,
    read: ReadSets,
    received: ReceivedEvents,
  ): Promise<Signals> {
    const isAllRead = !read.isCutOff && !read.isShort && received.undecidedMs === undefined;
    const claimed = isAllRead && settings.isCurrent ? this.#proof.claimable(beganMs) : undefined;
    // A verification does not prove that the stream is enabled: the transmitter also sends verifications for a paused
    // stream.
    const isStatusNeeded = claimed !== undefined || read.isTakenByOthers || received.isStreamUpdated;
    const statusFault = isStatusNeeded ? await faultOf(this.#settings.requireEnabled(settings)) : undefined;
    const fault =
      settings.fault ??
      knownFault(askFault) ??
      knownFault(statusFault) ??
      (read.isTakenByOthers ? takenByOthers() : undefined) ??
      undecidedFault(received) ??
      // A truncated response may lack the requested verification event.
      (read.isCutOff ? undefined : this.#proof.fault(beganMs));
    const isRecovered = this.#isInDoubt && fault === undefined;
    const isWhole =
      sinceMs <= MAX_GAP_MS && !read.isCutOff && !read.isTakenByOthers && received.isWhole && !isRecovered;
    const isHealthy = claimed !== undefined && statusFault === undefined && fault === undefined;
    if (isHealthy && isWhole) this.#proof.claim();
    const { denials, rechecks, occurredAtMs } = received;
    const proof = isHealthy ? { isHealthy, healthyUntilAgoMs: beganMs - claimed } : { isHealthy };
    return { denials, rechecks, isWhole, ...proof, fault, occurredAtMs };
  }
}

async function faultOf(calling: Promise<unknown>): Promise<SignalSourceError | 'unknown' | undefined> {
  try {
    await calling;
    return undefined;
  } catch (error) {
    if (error instanceof SignalSourceError) return error;
    if (error instanceof AuthorizationServerError) return 'unknown';
    throw error;
  }
}

const knownFault = (fault: SignalSourceError | 'unknown' | undefined): SignalSourceError | undefined =>
  fault === 'unknown' ? undefined : fault;

const takenByOthers = (): SignalSourceError =>
  new SignalSourceError(
    'acknowledged_by_others',
    'Another receiver reads the stream of this client and acknowledges events immediately. Give each receiver its own client.',
  );

function undecidedFault({ undecidedMs = 0 }: ReceivedEvents): SignalSourceError | undefined {
  if (undecidedMs < UNDECIDED_IS_A_FAULT_MS) return undefined;
  return new SignalSourceError(
    'signing_key_unknown',
    "A security event token is signed with a key that the transmitter does not publish, or its keys can't be read.",
  );
}
