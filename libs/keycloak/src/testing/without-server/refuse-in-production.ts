/** Refuse in production: whoever can sign anybody in must not be there. */

/** Throws `Error` when `NODE_ENV` is `production`. */
export function refuseInProduction(what: string): void {
  if (process.env['NODE_ENV'] !== 'production') return;
  throw new Error(`NODE_ENV is production: ${what} is for tests, and would let anybody in`);
}
