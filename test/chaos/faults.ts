import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from '@redis/client';
import type { ConnectionFault, RunningFaultProxy } from 'keycloak-test-servers';
import type { Replica, ReplicatedServices } from '../support/replicated-services.js';
import { Random } from './random.js';
import type { FaultKind, PlannedFault } from './schedule.js';

/** The operating system keeps the writes of a killed process, so `appendfsync no` loses no data. */
const KEEPS_ALL = ['--appendonly', 'yes', '--appendfsync', 'no'];
const GARBLED = 20;
const FREEZES_FOR_MS = 1000;
/** A freeze lasts longer than the poller's lease, so another poller takes the lease. */
const POLLER_FREEZES_FOR_MS = 4500;

const SERVER_FAULTS: Readonly<Partial<Record<FaultKind, ConnectionFault>>> = {
  'server-slow': { kind: 'latency', milliseconds: 500, jitterMs: 1500 },
  'server-refuses': { kind: 'refuse' },
  'server-resets': { kind: 'reset' },
  'server-hangs': { kind: 'black-hole' },
};

export const VALKEY = 'Valkey';
export const AUTHORIZATION_SERVER = 'the authorization server';

export class Faults {
  #emptied = 0;
  #storeSettings: readonly string[] = KEEPS_ALL;

  constructor(
    private readonly services: ReplicatedServices,
    private readonly server: RunningFaultProxy,
  ) {}

  async prepare(): Promise<void> {
    await this.#emptyStore();
  }

  targetOf({ kind, replica }: PlannedFault): string {
    if (kind.startsWith('poller-')) return this.#poller(replica).name;
    if (kind.startsWith('replica-')) return this.#replica(replica).name;
    return kind in SERVER_FAULTS ? AUTHORIZATION_SERVER : VALKEY;
  }

  describe(planned: PlannedFault): string {
    const { kind, forMs } = planned;
    if (kind.startsWith('poller-') || kind.startsWith('replica-')) return `${kind} (${this.targetOf(planned)})`;
    return kind in SERVER_FAULTS || kind === 'store-frozen' || kind === 'store-full' ? `${kind} for ${forMs} ms` : kind;
  }

  async make({ kind, forMs, replica: number, seed }: PlannedFault): Promise<void> {
    const { valkey } = this.services;
    const replica = this.#replica(number);
    switch (kind) {
      case 'replica-killed':
      case 'replica-ended':
        await this.services.end(replica, kind === 'replica-killed' ? 'SIGKILL' : 'SIGTERM');
        await this.services.startAgain(replica);
        return;
      case 'replica-frozen':
        replica.process.process.kill('SIGSTOP');
        await sleep(FREEZES_FOR_MS);
        replica.process.process.kill('SIGCONT');
        return;
      case 'poller-killed':
        await this.services.killPoller(this.#poller(number));
        return;
      case 'poller-frozen': {
        const { process } = this.#poller(number).process;
        process.kill('SIGSTOP');
        await sleep(POLLER_FREEZES_FOR_MS);
        process.kill('SIGCONT');
        return;
      }
      case 'store-frozen':
        valkey.freeze();
        await sleep(forMs);
        valkey.thaw();
        return;
      case 'store-restarted-empty':
        await this.#emptyStore();
        return;
      case 'store-restarted-as-it-was':
        await valkey.kill();
        await valkey.start(...this.#storeSettings);
        return;
      case 'store-full':
        await this.#inStore(0, (client) => client.sendCommand(['CONFIG', 'SET', 'maxmemory', '1']));
        await sleep(forMs);
        await this.#inStore(0, (client) => client.sendCommand(['CONFIG', 'SET', 'maxmemory', '0']));
        return;
      case 'state-flushed':
      case 'answers-flushed':
        await this.#inStore(databaseOf(kind), (client) => client.sendCommand(['FLUSHDB']));
        return;
      case 'state-garbled':
      case 'answers-garbled':
        await this.#inStore(databaseOf(kind), (client) => garble(client, new Random(seed)));
        return;
      default:
        await this.server.fault(SERVER_FAULTS[kind]);
        await sleep(forMs);
        await this.server.fault(undefined);
    }
  }

  #replica(number: number): Replica {
    return oneOf(this.services.replicas, number);
  }

  #poller(number: number): Replica {
    return oneOf(this.services.pollers, number);
  }

  async #emptyStore(): Promise<void> {
    this.#emptied += 1;
    this.#storeSettings = [...KEEPS_ALL, '--appenddirname', `state-${this.#emptied}`];
    await this.services.valkey.kill();
    await this.services.valkey.start(...this.#storeSettings);
  }

  async #inStore(database: number, action: (client: Client) => Promise<unknown>): Promise<void> {
    const client = connectTo(`${this.services.valkey.url}/${database}`);
    await client.connect();
    try {
      await action(client);
    } finally {
      client.destroy();
    }
  }
}

function oneOf(all: readonly Replica[], number: number): Replica {
  const found = all[number % all.length];
  if (found === undefined) throw new Error('There is none');
  return found;
}

const connectTo = (url: string) => createClient({ url: url.replace(/^valkey/, 'redis') });
type Client = ReturnType<typeof connectTo>;

const databaseOf = (kind: string): number => (kind.startsWith('state-') ? 0 : 1);

async function garble(client: Client, random: Random): Promise<void> {
  const keys = random.shuffled((await client.keys('*')).toSorted()).slice(0, GARBLED);
  for (const key of keys) {
    if (random.chance(0.5)) await client.set(key, `garbage ${random.next()}`);
    else if ((await client.type(key)) === 'stream') await client.xAdd(key, '*', { entry: `garbage ${random.next()}` });
    else await client.multi().del(key).lPush(key, 'garbage').exec();
  }
}
