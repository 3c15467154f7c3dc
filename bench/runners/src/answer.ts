import type { Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { adapter } from './adapter.js';

/** Starts the application, sends one request, and returns the status. */
export async function answerOf(application: Type): Promise<number> {
  const app = await NestFactory.create(application, adapter(), { logger: false });
  await app.listen(0, '127.0.0.1');
  const headers = { authorization: `Bearer ${process.env['TOKEN']}`, connection: 'close' };
  const { status } = await fetch(`${await app.getUrl()}/route`, { headers });
  await app.close();
  return status;
}
