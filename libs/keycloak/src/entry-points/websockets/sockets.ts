import type { LongLivedConnection } from '../extension/index.js';

export interface WsSocket {
  readonly readyState: number;
  close(code: number, reason: string): void;
}

export interface IoSocket {
  readonly connected: boolean;
  disconnect(close: boolean): void;
}

const OPEN = 1;

/** The close code for a policy violation (RFC 6455 §7.4.1). */
const POLICY_VIOLATION = 1008;

export function connectionOfSocket(client: unknown): LongLivedConnection {
  const socket = client as WsSocket | IoSocket;
  if ('disconnect' in socket) {
    return { key: socket, isOpen: () => socket.connected, close: () => socket.disconnect(true) };
  }
  return {
    key: socket,
    isOpen: () => socket.readyState === OPEN,
    close: () => socket.close(POLICY_VIOLATION, 'invalid_token'),
  };
}
