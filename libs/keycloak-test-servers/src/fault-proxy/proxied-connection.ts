import { connect, type Socket } from 'node:net';
import type { FaultSwitch } from './connection-fault.js';
import { FaultyLine, type Break } from './faulty-line.js';
import { resetSocket } from './reset-socket.js';

export interface Target {
  readonly host: string;
  readonly port: number;
}

export function proxyConnection(client: Socket, target: Target, faults: FaultSwitch): void {
  const server = connect({ ...target, allowHalfOpen: true });
  for (const socket of [client, server]) socket.setNoDelay(true);

  const onBreak = (how: Break): void => {
    if (how === 'reset') {
      resetSocket(client);
      return;
    }
    client.end();
    if (how === 'cut') client.destroySoon();
  };
  const requests = new FaultyLine('request', faults, onBreak);
  const answers = new FaultyLine('answer', faults, onBreak);
  client.pipe(requests).pipe(server);
  server.pipe(answers).pipe(client);

  client.on('error', () => resetSocket(server));
  server.on('error', () => void faults.passable().then(() => resetSocket(client)));
  client.on('close', () => {
    for (const end of [requests, answers, server]) end.destroy();
  });
}
