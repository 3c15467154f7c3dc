import { ConfigurationError, ConfigurationFaults } from '../../index.js';
import { addressOf, checkAddress, type ValkeyAddress, type ValkeyAddressOptions } from './valkey-address.js';
import { ValkeyConnection, within } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';
import type { ValkeyScript } from './valkey-script.js';

export interface ValkeyClientOptions extends ValkeyAddressOptions {
  /** The deadline of a script in ms, including the wait for a connection. Default: 1000, 1 to 60000. */
  readonly deadlineMs?: number;
}

const CONNECT_MS = 3000;
const FIRST_WAIT_MS = 1000;
const MAX_DEADLINE_MS = 60_000;
const PAUSE_MS = 250;

/**
 * Client for the data that a service keeps in Valkey (tried with Valkey 8.1). Concurrent calls share one connection,
 * and the client sends nothing before the first call. The client does not retry a failed script, because the server may
 * have run the script.
 */
export class ValkeyClient {
  readonly #address: ValkeyAddress;
  readonly deadlineMs: number;
  #connection: ValkeyConnection | undefined;
  #opening: Promise<ValkeyConnection> | undefined;
  #openingSinceMs = 0;
  #failure: { readonly error: ValkeyError; readonly untilMs: number } | undefined;
  #isClosed = false;

  /** Throws `ConfigurationError`. */
  constructor(options: ValkeyClientOptions) {
    const faults = new ConfigurationFaults();
    checkAddress(options, faults, ['deadlineMs']);
    const { deadlineMs = 1000 } = options;
    this.deadlineMs = faults.integer('deadlineMs', deadlineMs, 1, MAX_DEADLINE_MS);
    faults.throwIfFaulty((all) => new ConfigurationError("ValkeyClient can't be used", all));
    this.#address = addressOf(options);
  }

  /**
   * Opens the connection, so that the first call does not have to wait. Throws `ValkeyError` after at most one second.
   */
  async open(): Promise<void> {
    await this.#connected(FIRST_WAIT_MS);
  }

  /**
   * Runs the script, or throws `ValkeyError` by the end of the deadline. For 250 ms after a connection failure, `run()`
   * throws immediately.
   */
  async run(script: ValkeyScript, keys: readonly string[], args: readonly string[] = []): Promise<unknown> {
    const startedMs = performance.now();
    if (this.#failure !== undefined && startedMs < this.#failure.untilMs) throw this.#failure.error;
    const connection = await this.#connected(this.deadlineMs);
    try {
      const leftMs = Math.max(1, this.deadlineMs - (performance.now() - startedMs));
      return await script.run(connection, keys, args, leftMs);
    } catch (error) {
      if (!connection.isOpen) this.#pause(error);
      throw error;
    }
  }

  /** Closes the connection, so that running calls and all later calls fail. */
  async close(): Promise<void> {
    this.#isClosed = true;
    void this.#opening?.then((connection) => connection.close()).catch(() => undefined);
    this.#connection?.close();
  }

  /** The wait begins with the first caller, so later callers do not extend the wait. */
  async #connected(waitMs: number): Promise<ValkeyConnection> {
    if (this.#isClosed) throw new ValkeyError('closed');
    if (this.#connection?.isOpen === true) return this.#connection;
    if (this.#opening === undefined) {
      this.#openingSinceMs = performance.now();
      this.#opening = this.#open().finally(() => (this.#opening = undefined));
    }
    return within(this.#openingSinceMs + waitMs - performance.now(), this.#opening);
  }

  async #open(): Promise<ValkeyConnection> {
    try {
      return (this.#connection = await ValkeyConnection.open(this.#address, CONNECT_MS));
    } catch (error) {
      this.#pause(error);
      throw error;
    }
  }

  #pause(error: unknown): void {
    const failure = error instanceof ValkeyError ? error : new ValkeyError('unknown');
    this.#failure = { error: failure, untilMs: performance.now() + PAUSE_MS };
  }
}
