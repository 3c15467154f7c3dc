import { json, type HttpAnswer, type HttpCall } from '../http/http-call.js';

export const found = (representation: object): HttpAnswer =>
  json(200, representation, { 'content-type': 'application/json;charset=UTF-8', 'cache-control': 'no-cache' });

export const created = ({ origin, path }: HttpCall, id: string): HttpAnswer => ({
  status: 201,
  headers: { location: `${origin}${path}/${id}` },
  body: '',
});

export const DONE: HttpAnswer = { status: 204, headers: {}, body: '' };
