import type { AddressInfo, Server } from 'node:net';
import type { HttpAdapterHost } from '@nestjs/core';
import { AttackNotRun } from './attempt.js';

const WILDCARDS: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '[::1]' };

export function ownAddress({ httpAdapter }: HttpAdapterHost): string {
  const server = httpAdapter.getHttpServer() as Server;
  const bound = server.address() as AddressInfo | string | null;
  if (bound === null || typeof bound === 'string') throw new AttackNotRun('This service is not listening yet.');
  const { address, family, port } = bound;
  return `http://${WILDCARDS[address] ?? (family === 'IPv6' ? `[${address}]` : address)}:${port}`;
}
