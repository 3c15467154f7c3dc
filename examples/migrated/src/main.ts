import { NestFactory } from '@nestjs/core';
import { AppModule } from './app.module';

void NestFactory.create(AppModule, { logger: ['error', 'warn'] }).then((app) =>
  app.listen(Number(process.env['PORT']), '127.0.0.1'),
);
