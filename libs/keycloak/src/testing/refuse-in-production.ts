/** Refuse in production: keeps code that can sign in any caller out of production. */
import { isProduction } from '../protocol/production.js';

/** Throws `Error` unless `NODE_ENV` is `development` or `test`; Jest and Vitest set `test`. */
export function refuseInProduction(what: string): void {
  const { NODE_ENV } = process.env;
  if (!isProduction(NODE_ENV)) return;
  const found = NODE_ENV === undefined ? 'not set' : JSON.stringify(NODE_ENV);
  throw new Error(
    `NODE_ENV is ${found}, which counts as production, where ${what} would let anybody in. It requires NODE_ENV=test or NODE_ENV=development`,
  );
}
