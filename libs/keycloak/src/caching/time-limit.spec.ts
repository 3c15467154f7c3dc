import { once } from 'node:events';
import { createServer, connect, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, it } from '@jest/globals';
import { TimeLimit } from './time-limit.js';

const overAfter = (ms: number): Promise<void> => new Promise((resolve) => void new TimeLimit(ms, resolve));

describe('TimeLimit', () => {
  it('fires once when its time has passed', async () => {
    let ends = 0;
    const limit = new TimeLimit(10, () => (ends += 1));
    await overAfter(200);
    await sleep(20);
    expect(ends).toBe(1);
    limit.clear();
  });

  it('does not fire after clear() was called', async () => {
    let isOver = false;
    new TimeLimit(5, () => (isOver = true)).clear();
    await overAfter(50);
    expect(isOver).toBe(false);
  });

  it('fires after the process has read the data that arrived while the event loop was blocked', async () => {
    const server = createServer((socket) => void socket.end('come')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const seen: string[] = [];
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
    await once(socket, 'connect');
    socket.on('data', (text) => seen.push(String(text)));
    // After `setImmediate`, Node runs timers before it reads data.
    await new Promise((resolve) => void setImmediate(resolve));
    const over = overAfter(100);
    for (const untilMs = performance.now() + 500; performance.now() < untilMs;) continue;
    await over;
    expect(seen).toEqual(['come']);
    server.close();
  });
});
