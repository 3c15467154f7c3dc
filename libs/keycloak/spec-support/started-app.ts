import type { INestApplication, LoggerService, ModuleMetadata } from '@nestjs/common';
import { ExpressAdapter } from '@nestjs/platform-express';
import { Test } from '@nestjs/testing';
import { afterEach } from '@jest/globals';
import request from 'supertest';

export interface StartedApp {
  readonly app: INestApplication;
  readonly get: (path: string, token: string) => Promise<number | string>;
}

const apps: INestApplication[] = [];
afterEach(async () => {
  for (const app of apps.splice(0)) await app.close();
});

export async function startedApp(parts: ModuleMetadata, log: LoggerService): Promise<StartedApp> {
  const module = await Test.createTestingModule(parts).setLogger(log).compile();
  const app = module.createNestApplication(new ExpressAdapter());
  apps.push(app);
  await app.init();
  const get = async (path: string, token: string): Promise<number | string> => {
    const { status, text } = await request(app.getHttpServer()).get(path).auth(token, { type: 'bearer' });
    return status === 200 ? text : status;
  };
  return { app, get };
}
