export interface IgnoredPart {
  readonly name: string;
  readonly owner: string | undefined;
}

const SHOWN_OWNERS = 3;

export function describeIgnored(parts: readonly IgnoredPart[]): string {
  const owners = new Map<string, string[]>();
  for (const { name, owner } of parts) {
    owners.set(name, [...(owners.get(name) ?? []), ...(owner === undefined ? [] : [owner])]);
  }
  return [...owners]
    .map(([name, of]) => (of.length === 0 ? name : `${name} (${shortened([...new Set(of)])})`))
    .join(', ');
}

function shortened(owners: readonly string[]): string {
  const others = owners.length - SHOWN_OWNERS;
  return [...owners.slice(0, SHOWN_OWNERS), ...(others > 0 ? [`${others} more`] : [])].join(', ');
}
