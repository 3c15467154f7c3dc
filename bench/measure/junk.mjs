import { randomBytes } from 'node:crypto';

const HEADER = Buffer.from('{"alg":"RS256","typ":"at+jwt"}').toString('base64url');

export function junkToken() {
  const payload = Buffer.from(JSON.stringify({ jti: randomBytes(300).toString('base64url') })).toString('base64url');
  return `${HEADER}.${payload}.${randomBytes(256).toString('base64url')}`;
}
