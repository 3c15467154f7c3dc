import type { IncomingMessage } from 'node:http';
import type { HttpAdapterHost } from '@nestjs/core';
import { prefersHtml } from './negotiation.js';
import type { Page, Pages } from './pages.js';

export interface AnsweredRequest {
  readonly raw: IncomingMessage;
  readonly is404: boolean;
}
export interface Answer {
  readonly statusCode: number;
  header(name: string, value: string): this;
}
type Done = (error: null, payload: unknown) => void;
interface Fastify {
  addHook(name: 'onSend', hook: (request: AnsweredRequest, reply: Answer, payload: unknown, done: Done) => void): void;
}

export function showPageInstead(
  { httpAdapter }: HttpAdapterHost,
  pages: Pages,
  pageFor: (request: AnsweredRequest, reply: Answer, payload: unknown) => Page | undefined,
): void {
  httpAdapter.getInstance<Fastify>().addHook('onSend', (request, reply, payload, done) => {
    const page = pageFor(request, reply, payload);
    if (page === undefined || !prefersHtml(request)) {
      done(null, payload);
      return;
    }
    reply.header('Vary', 'Accept').header('content-type', 'text/html; charset=utf-8');
    done(null, pages.render(page));
  });
}
