import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import type { ConnectionFault } from './connection-fault.js';
import { startFaultProxy, type RunningFaultProxy } from './start-fault-proxy.js';

const A_WHILE_MS = 60;

let target: Server;
let atTarget: Socket[];
let proxy: RunningFaultProxy;
let clients: Client[];

const portOf = (server: Server): number => (server.address() as { readonly port: number }).port;

const echo = (socket: Socket): void => {
  atTarget.push(socket);
  socket.on('error', () => undefined);
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('end', () => socket.end());
};

beforeEach(async () => {
  [atTarget, clients] = [[], []];
  target = createServer({ allowHalfOpen: true }, echo).listen(0, '127.0.0.1');
  await once(target, 'listening');
  proxy = await startFaultProxy({ target: `http://127.0.0.1:${portOf(target)}` });
});

afterEach(async () => {
  for (const { socket } of clients) socket.destroy();
  await proxy.stop();
  for (const socket of atTarget) socket.destroy();
  target.close();
});

class Client {
  received = '';
  readonly events: string[] = [];

  constructor(readonly socket: Socket) {
    clients.push(this);
    socket.on('data', (chunk) => (this.received += String(chunk)));
    socket.on('end', () => this.events.push('end'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.events.push(error.code ?? error.message));
    socket.on('close', (failed) => failed || this.events.push('close'));
  }

  static begun(): Client {
    return new Client(connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }));
  }

  static async connected(): Promise<Client> {
    const client = Client.begun();
    await once(client.socket, 'connect');
    return client;
  }

  send(text: string): this {
    this.socket.write(text);
    return this;
  }

  async until(happened: () => boolean): Promise<this> {
    while (!happened()) await sleep(10);
    return this;
  }

  async receives(text: string): Promise<string> {
    await this.until(() => this.received === text);
    return this.received;
  }

  async meets(event: string): Promise<string | undefined> {
    await this.until(() => this.events.includes(event));
    return this.events.find((one) => one === event);
  }
}

describe('startFaultProxy', () => {
  it('forwards all bytes, has an address, and counts connections', async () => {
    expect(proxy.baseUrl).toBe(`http://localhost:${proxy.port}`);
    const client = await Client.connected();
    const long = 'x'.repeat(1_000_000);
    expect(await client.send(long).receives(long)).toBe(long);
    expect(proxy.connections).toMatchObject({ open: 1, accepted: 1 });
    client.socket.destroy();
    await client.until(() => proxy.connections.open === 0);
    expect(proxy.connections).toMatchObject({ open: 0, accepted: 1 });
  });

  it('forwards the end of one direction, while the other direction stays open', async () => {
    const client = await Client.connected();
    expect(await client.send('before').receives('before')).toBe('before');
    target.removeAllListeners('connection');
    atTarget[0]?.removeAllListeners('end').on('end', () => setTimeout(() => atTarget[0]?.end(' after'), A_WHILE_MS));
    client.socket.end();
    expect(await client.receives('before after')).toBe('before after');
    expect(await client.meets('close')).toBe('close');
    expect(client.events).toEqual(['end', 'close']);
  });

  it('forwards a reset by the client and a reset by the target', async () => {
    const [first, second] = [await Client.connected(), await Client.connected()];
    expect(await first.send('1').receives('1')).toBe('1');
    expect(await second.send('2').receives('2')).toBe('2');
    const reset = once(atTarget[1] as Socket, 'error');
    second.socket.resetAndDestroy();
    expect(await reset).toMatchObject([{ code: 'ECONNRESET' }]);
    atTarget[0]?.resetAndDestroy();
    expect(await first.meets('ECONNRESET')).toBe('ECONNRESET');
  });

  it('resets a client if the target is unreachable', async () => {
    target.close();
    expect(await Client.begun().meets('ECONNRESET')).toBe('ECONNRESET');
  });

  it('closes every connection and the port on stop(), and allows a second stop()', async () => {
    const client = await Client.connected();
    await proxy.fault({ kind: 'hang' });
    const hanging = await Client.connected();
    await proxy.stop();
    await proxy.stop();
    expect(await client.meets('end')).toBe('end');
    expect(await hanging.meets('end')).toBe('end');
    await expect(Client.connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  it('fails if the port of the proxy is taken', async () => {
    await expect(startFaultProxy({ target: proxy.baseUrl, port: proxy.port })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});

describe('fault', () => {
  it('refuse: keeps old connections, and refuses new connections until the fault ends', async () => {
    const old = await Client.connected();
    const { port } = proxy;
    await proxy.fault({ kind: 'refuse' });
    await expect(Client.connected()).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    expect(await old.send('still').receives('still')).toBe('still');
    await proxy.fault(undefined);
    expect(proxy.port).toBe(port);
    expect(await (await Client.connected()).send('again').receives('again')).toBe('again');
  });

  it('hang: never answers new connections, and keeps old connections', async () => {
    const old = await Client.connected();
    await proxy.fault({ kind: 'hang' });
    const hanging = (await Client.connected()).send('anybody?');
    expect(await old.send('still').receives('still')).toBe('still');
    await proxy.fault(undefined);
    await sleep(A_WHILE_MS);
    expect(hanging).toMatchObject({ received: '', events: [] });
    expect(atTarget).toHaveLength(1);
    hanging.socket.destroy();
    await hanging.until(() => proxy.connections.open === 1);
    expect(proxy.connections.open).toBe(1);
  });

  it('black-hole: stalls all connections silently until the fault ends', async () => {
    const old = await Client.connected();
    expect(await old.send('1').receives('1')).toBe('1');
    await proxy.fault({ kind: 'black-hole' });
    const young = (await Client.connected()).send('young');
    old.send('2');
    old.socket.end();
    atTarget[0]?.write('unasked');
    await sleep(A_WHILE_MS);
    expect([old, young]).toMatchObject([
      { received: '1', events: [] },
      { received: '', events: [] },
    ]);
    await proxy.fault(undefined);
    expect(await old.receives('1unasked2')).toBe('1unasked2');
    expect(await old.meets('end')).toBe('end');
    expect(await young.receives('young')).toBe('young');
  });

  it('black-hole: hides from the client that the target resets the connection', async () => {
    const client = await Client.connected();
    expect(await client.send('1').receives('1')).toBe('1');
    await proxy.fault({ kind: 'black-hole' });
    atTarget[0]?.resetAndDestroy();
    await sleep(A_WHILE_MS);
    expect(client.events).toEqual([]);
  });

  it('reset: resets new connections immediately, and resets old connections at the next byte', async () => {
    const old = await Client.connected();
    await proxy.fault({ kind: 'reset' });
    expect(await Client.begun().meets('ECONNRESET')).toBe('ECONNRESET');
    await sleep(A_WHILE_MS);
    expect(old.events).toEqual([]);
    expect(await old.send('1').meets('ECONNRESET')).toBe('ECONNRESET');
    expect(old.received).toBe('');
  });

  it.each<[ConnectionFault, string[]]>([
    [{ kind: 'reset', afterBytes: 3 }, ['ECONNRESET']],
    [{ kind: 'cut', afterBytes: 3 }, ['end', 'close']],
    [{ kind: 'half-close', afterBytes: 3 }, ['end']],
  ])('%j: forwards the given number of bytes of the answer', async (fault, events) => {
    const client = await Client.connected();
    expect(await client.send('before').receives('before')).toBe('before');
    await proxy.fault(fault);
    client.send('12');
    expect(await client.receives('before12')).toBe('before12');
    client.send('345');
    expect(await client.meets(events[0] as string)).toBe(events[0] as string);
    client.socket.end();
    expect(await client.receives('before123')).toBe('before123');
    expect(await client.meets(events.at(-1) as string)).toBe(events.at(-1));
    expect(client.events).toEqual(events);
  });

  it('half-close: still reads what the client sends', async () => {
    const client = await Client.connected();
    await proxy.fault({ kind: 'half-close', afterBytes: 1 });
    expect(await client.send('12').meets('end')).toBe('end');
    client.send('more');
    await sleep(A_WHILE_MS);
    expect(client).toMatchObject({ received: '1', events: ['end'] });
  });

  it('ends automatically after the given number of connections', async () => {
    await proxy.fault({ kind: 'reset', times: 2 });
    expect(await Client.begun().meets('ECONNRESET')).toBe('ECONNRESET');
    expect(await Client.begun().meets('ECONNRESET')).toBe('ECONNRESET');
    const third = await Client.connected();
    expect(await third.send('3').receives('3')).toBe('3');
    await proxy.fault({ kind: 'cut', afterBytes: 1, times: 1 });
    expect(await third.send('45').meets('end')).toBe('end');
    expect(await (await Client.connected()).send('fourth').receives('fourth')).toBe('fourth');
  });

  it('latency: delays the bytes and the end of an answer, and keeps the order of the bytes', async () => {
    await proxy.fault({ kind: 'latency', milliseconds: A_WHILE_MS, jitterMs: 20 });
    const client = await Client.connected();
    const startMs = performance.now();
    for (const text of ['1', '2', '3']) {
      client.send(text);
      await sleep(5);
    }
    client.socket.end();
    expect(await client.receives('123')).toBe('123');
    expect(performance.now() - startMs).toBeGreaterThanOrEqual(A_WHILE_MS - 1);
    expect(await client.meets('end')).toBe('end');
  });

  it('slow-bytes: sends single bytes until the fault ends', async () => {
    await proxy.fault({ kind: 'slow-bytes', everyMs: 20 });
    const client = (await Client.connected()).send('a'.repeat(5000));
    await client.until(() => client.received.length >= 3);
    expect(client.received.length).toBeLessThan(20);
    await proxy.fault(undefined);
    expect(await client.receives('a'.repeat(5000))).toBe('a'.repeat(5000));
  });
});

describe('resetConnections', () => {
  it('resets all open connections, and does not affect later connections', async () => {
    const old = await Client.connected();
    expect(await old.send('1').receives('1')).toBe('1');
    proxy.resetConnections();
    expect(await old.meets('ECONNRESET')).toBe('ECONNRESET');
    expect(await (await Client.connected()).send('2').receives('2')).toBe('2');
  });
});
