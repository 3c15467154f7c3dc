/** NotFoundPage: a browser that asks for a page which is not there gets a page that says so; other callers get JSON. */
import type { IncomingMessage } from 'node:http';
import { Injectable, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { prefersHtml } from './negotiation.js';
import { Pages } from './pages.js';

/** The parts of Fastify's types that are used here. */
interface Request {
  readonly raw: IncomingMessage;
  readonly is404: boolean;
}
interface Reply {
  readonly statusCode: number;
  header(name: string, value: string): this;
}
type Done = (error: null, payload: unknown) => void;
interface Fastify {
  addHook(name: 'onSend', hook: (request: Request, reply: Reply, payload: unknown, done: Done) => void): void;
}

/** By a hook: the filter for every error of a service knows no pages. */
@Injectable()
export class NotFoundPage implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly pages: Pages,
  ) {}

  onModuleInit(): void {
    this.adapterHost.httpAdapter.getInstance<Fastify>().addHook('onSend', (request, reply, payload, done) => {
      if (!request.is404 || reply.statusCode !== 404 || !prefersHtml(request)) {
        done(null, payload);
        return;
      }
      reply.header('Vary', 'Accept').header('content-type', 'text/html; charset=utf-8');
      done(null, this.pages.render({ template: 'not-found', model: {} }));
    });
  }
}
