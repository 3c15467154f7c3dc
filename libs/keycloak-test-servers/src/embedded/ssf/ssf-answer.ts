import { json, type HttpAnswer } from '../http/http-call.js';
import { SsfRefusal } from './ssf-refusal.js';

const NOT_CACHED = { 'cache-control': 'no-cache' };

export const answered = (status: number, members: object): HttpAnswer =>
  json(status, members, { ...NOT_CACHED, 'content-type': 'application/json;charset=UTF-8' });

export const NO_CONTENT: HttpAnswer = { status: 204, headers: NOT_CACHED, body: '' };

export function ssfRefusalAsAnswer(refusal: unknown): HttpAnswer | undefined {
  if (!(refusal instanceof SsfRefusal)) return undefined;
  const { status, members } = refusal;
  return members === undefined ? { status, headers: NOT_CACHED, body: '' } : answered(status, members);
}
