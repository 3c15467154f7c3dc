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

export function prefersHtml({ raw }: PageRequest): boolean {
  const { accept = '*/*' } = raw.headers;
  // Most programs except browsers send one of these values.
  if (accept === '*/*' || accept === 'application/json') return false;
  return accepts(raw).type(['json', 'html']) === 'html';
}
