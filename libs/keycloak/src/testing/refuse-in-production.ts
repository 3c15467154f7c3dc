import { isProduction } from '../protocol/production.js';

/** Throws unless `NODE_ENV` is `development` or `test`, because the testing kit can sign in any user. */
export function refuseInProduction(what: string): void {
  const { NODE_ENV } = process.env;
  if (!isProduction(NODE_ENV)) return;
  const found = NODE_ENV === undefined ? 'not set' : JSON.stringify(NODE_ENV);
  throw new Error(
    `NODE_ENV is ${found}, which counts as production. There, ${what} would let anybody in, so it requires NODE_ENV=test or NODE_ENV=development`,
  );
}
