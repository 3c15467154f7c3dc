import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { StreamFollower } from './stream-follower.js';

const COMMAND = /\*\d+\r\n/g;

let server: Server;
let sockets: Socket[];
let follower: StreamFollower;
let endWait: () => void;
let begun: string[];

beforeEach(async () => {
  sockets = [];
  begun = [];
  server = createServer((socket) => {
    sockets.push(socket);
    socket.on('data', (sent) => socket.write('+OK\r\n'.repeat(String(sent).match(COMMAND)?.length ?? 0)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(async () => {
  jest.restoreAllMocks();
  endWait();
  await follower.close();
  for (const socket of sockets) socket.destroy();
  server.close();
});

interface Numbers {
  readonly last: number;
  readonly numbers: readonly number[];
  readonly says?: object;
  readonly forgedIds?: readonly string[];
}

async function told({ last, numbers, says, forgedIds }: Numbers): Promise<unknown[]> {
  const entries = numbers.map((number) => ({
    number,
    id: `${number}`,
    previous: `${number - 1}`,
    sealed: `${number}`,
  }));
  const page = { epoch: 'e', first: 1, last, tip: `${last}`, entries, proof: '', nowMs: 0 };
  const calls: unknown[] = [];
  let end = (): void => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const waited = new Promise<void>((resolve) => (endWait = resolve));
  const nothing = (): void => undefined;
  const receiver = {
    received: (revocation: unknown) => void calls.push(revocation),
    caughtUp: () => (calls.push('caught up'), end()),
    gap: (reason: string) => (calls.push(reason), end()),
    lost: nothing,
    examined: nothing,
    refused: nothing,
    unhealthy: nothing,
  };
  const followed = {
    stream: {
      checkPolicy: async () => undefined,
      read: async () => page,
      // Like the real `wait()`, this fake `wait()` must end when the connection closes.
      wait: () => Promise.race([waited, ...sockets.map((socket) => once(socket, 'close'))]),
    },
    entries: { read: (sealed: string) => ({ revocation: says ?? sealed, usefulUntilMs: 0 }) },
    proofs: new Proxy({}, { get: () => nothing }),
    ...(forgedIds && {
      own: {
        expected: new Set(),
        read: nothing,
        clear: nothing,
        isMissing: () => false,
        isForged: (_: string, id: string) => forgedIds.includes(id),
      },
    }),
  };
  const url = new URL(`valkey://127.0.0.1:${(server.address() as AddressInfo).port}`);
  follower = new StreamFollower({ url }, followed as never, receiver as never, async (epoch) => {
    begun.push(epoch);
  });
  await ended;
  return calls;
}

describe('StreamFollower pages', () => {
  it('reads all entries of a complete page', async () => {
    expect(await told({ last: 2, numbers: [1, 2] })).toEqual(['1', '2', 'caught up']);
  });

  it.each<[string, Numbers, string[]]>([
    ['has fewer entries than its last number requires', { last: 3, numbers: [1, 2] }, []],
    ['leaves out an entry', { last: 3, numbers: [1, 3, 3] }, ['1']],
    ['has an entry twice', { last: 2, numbers: [1, 1] }, ['1']],
    ['has an entry after its last number', { last: 1, numbers: [1, 2] }, ['1']],
  ])('reports a gap if a page %s', async (_, page, received) => {
    expect(await told(page)).toEqual([...received, 'entries_missing']);
  });

  it('reports a gap and begins a new epoch if a recheck has a forged id', async () => {
    const recheck = { kind: 'recheck', id: 'r1' };
    expect(await told({ last: 1, numbers: [1], says: recheck, forgedIds: ['r1'] })).toEqual(['own_entries_forged']);
    expect(begun).toEqual(['e']);
  });

  it('accepts a recheck that this poller wrote', async () => {
    const recheck = { kind: 'recheck', id: 'r1' };
    expect(await told({ last: 1, numbers: [1], says: recheck, forgedIds: [] })).toEqual([recheck, 'caught up']);
    expect(begun).toEqual([]);
  });

  it('reports a gap if the page claims more entries than a stream can have', async () => {
    expect(await told({ last: 2_000_001, numbers: [1, 2] })).toEqual(['too_many_entries']);
    expect(begun).toEqual(['e']);
  });
});

describe('StreamFollower waiting for entries', () => {
  it('closes the waiting connection immediately when the application stops', async () => {
    await told({ last: 1, numbers: [1] });
    await follower.close();
    expect(sockets.map(({ readyState }) => readyState)).not.toContain('open');
  });
});

describe('StreamFollower without a server', () => {
  it('reconnects to the server after increasingly long pauses', async () => {
    jest.spyOn(Math, 'random').mockReturnValue(1);
    endWait = () => undefined;
    const { port } = server.address() as AddressInfo;
    server.close();
    const beganMs = performance.now();
    await new Promise<void>((resolve) => {
      let lost = 0;
      const receiver = { lost: () => ((lost += 1) === 4 ? resolve() : undefined), gap: () => undefined };
      follower = new StreamFollower(
        { url: new URL(`valkey://127.0.0.1:${port}`) },
        {} as never,
        receiver as never,
        async () => undefined,
      );
    });
    // The pauses between the four tries are 100, 200 and 400 ms.
    expect(performance.now() - beganMs).toBeGreaterThan(650);
  });
});
