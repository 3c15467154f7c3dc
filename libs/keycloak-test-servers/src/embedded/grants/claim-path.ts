export type MappedClaims = Record<string, unknown>;

/** Returns an object without a prototype, since a client id such as `constructor` may become a member name. */
export const emptyClaims = (): MappedClaims => Object.create(null) as MappedClaims;

export const pathOf = (claimName: string): string[] =>
  (claimName.match(/(?:\\.|[^\\.])+/g) ?? []).map((name) => name.replaceAll(/\\(.)/g, '$1'));

export const escapeName = (name: string): string => name.replaceAll('.', String.raw`\.`);

export function changeClaim(claims: MappedClaims, path: readonly string[], change: (value: unknown) => unknown): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  if (rest.length === 0) {
    claims[name] = change(claims[name]);
    return;
  }
  const nested = isNested(claims[name]) ? claims[name] : emptyClaims();
  claims[name] = nested;
  changeClaim(nested, rest, change);
}

const isNested = (value: unknown): value is MappedClaims =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
