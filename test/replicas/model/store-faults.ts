import { copyFileSync, existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createClient } from '@redis/client';
import type { Valkey } from '../../../libs/keycloak/spec-support/valkey.js';

const NOW = 'dump.rdb';
const EARLIER = 'earlier.rdb';
/** One script deletes and writes the key, because a replica could write the key between two commands. */
const OF_ANOTHER_KIND = `redis.call('DEL', KEYS[1]) return redis.call('LPUSH', KEYS[1], 'garbage')`;

export class StoreFaults {
  #folder = '';

  constructor(private readonly valkey: Valkey) {}

  async begin(): Promise<void> {
    const [, folder] = (await this.#command('CONFIG', 'GET', 'dir')) as string[];
    this.#folder = folder ?? '';
    this.forget();
    await this.#command('FLUSHALL');
  }

  get hasEarlier(): boolean {
    return existsSync(join(this.#folder, EARLIER));
  }

  async remember(): Promise<void> {
    await this.#command('SAVE');
    copyFileSync(join(this.#folder, NOW), join(this.#folder, EARLIER));
    rmSync(join(this.#folder, NOW));
  }

  forget(): void {
    for (const file of [NOW, EARLIER]) rmSync(join(this.#folder, file), { force: true });
  }

  async restart(state: 'earlier' | undefined): Promise<void> {
    await this.valkey.kill();
    if (state === 'earlier') copyFileSync(join(this.#folder, EARLIER), join(this.#folder, NOW));
    await this.valkey.start();
    rmSync(join(this.#folder, NOW), { force: true });
  }

  async garble(number: number): Promise<void> {
    for (const database of ['0', '1']) {
      const keys = ((await this.#command('KEYS', '*', database)) as string[]).toSorted();
      const key = keys[number % Math.max(1, keys.length)];
      if (key === undefined) continue;
      if (number % 2 === 0) await this.#command('SET', key, 'garbage', database);
      else await this.#command('EVAL', OF_ANOTHER_KIND, '1', key, database);
    }
  }

  async #command(name: string, ...args: string[]): Promise<unknown> {
    const isOfDatabase = ['KEYS', 'SET', 'EVAL'].includes(name);
    const database = isOfDatabase ? Number(args.pop()) : 0;
    const client = createClient({ url: `${this.valkey.url.replace('valkey', 'redis')}/${database}`, RESP: 2 });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return await client.sendCommand([name, ...args]);
    } finally {
      client.destroy();
    }
  }
}
