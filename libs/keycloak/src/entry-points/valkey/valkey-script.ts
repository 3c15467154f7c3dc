import { createHash } from 'node:crypto';
import type { ValkeyConnection } from './valkey-connection.js';
import { ValkeyError } from './valkey-error.js';

/** A Lua script that the server runs atomically. */
export class ValkeyScript {
  readonly #sha: string;

  constructor(
    private readonly text: string,
    /**
     * With `read_only`, a user with only read rights can run the script, and the server refuses writes of the script.
     */
    private readonly access: 'read_write' | 'read_only' = 'read_write',
  ) {
    this.#sha = createHash('sha1').update(text).digest('hex');
  }

  /**
   * Sends the text of the script only if the server does not know the script yet. Throws `ValkeyError`.
   * @internal
   */
  async run(
    connection: ValkeyConnection,
    keys: readonly string[],
    args: readonly string[],
    deadlineMs: number,
  ): Promise<unknown> {
    const all = [String(keys.length), ...keys, ...args];
    const suffix = this.access === 'read_only' ? '_RO' : '';
    const endMs = performance.now() + deadlineMs;
    try {
      return await connection.send([`EVALSHA${suffix}`, this.#sha, ...all], deadlineMs);
    } catch (error) {
      if (!(error instanceof ValkeyError) || error.message !== 'noscript') throw error;
      return connection.send([`EVAL${suffix}`, this.text, ...all], endMs - performance.now());
    }
  }
}
