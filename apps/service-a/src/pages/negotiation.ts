/** Negotiation: whether a request wants a page or JSON, and the little of Fastify that pages need. */
import type { IncomingMessage } from 'node:http';
import accepts from 'accepts';

export interface PageRequest {
  readonly raw: IncomingMessage;
}

export interface PageReply {
  header(name: string, value: string): this;
  type(contentType: string): this;
  code(status: number): this;
  send(body: string): this;
}

/** True when `Accept` puts HTML before JSON, as browsers do; curl's default gets JSON. */
export function prefersHtml({ raw }: PageRequest): boolean {
  const { accept = '*/*' } = raw.headers;
  // What most callers that are no browser send, without the parser.
  if (accept === '*/*') return false;
  return accepts(raw).type(['json', 'html']) === 'html';
}
