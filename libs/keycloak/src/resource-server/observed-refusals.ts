export interface ObservedRefusal {
  readonly code: string;
  readonly reason: string;
  readonly route: string;
  /** The authorized party (`azp`) of the token; absent if neither Keycloak nor a signature confirmed the claim. */
  readonly client?: string;
  readonly count: number;
}

/** Limits the time series of the metric, because a realm may register clients at any time. */
const MAX_KINDS = 1000;

const MAX_CLIENT_LENGTH = 200;

export class ObservedRefusals {
  readonly #kinds = new Map<string, Omit<ObservedRefusal, 'count'> & { count: number }>();
  #unlisted = 0;

  add({ code, reason, route, client }: Omit<ObservedRefusal, 'count'>): void {
    const kind = {
      code,
      reason,
      route,
      ...(client === undefined ? {} : { client: client.slice(0, MAX_CLIENT_LENGTH) }),
    };
    const key = JSON.stringify(kind);
    const known = this.#kinds.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#kinds.size < MAX_KINDS) this.#kinds.set(key, { ...kind, count: 1 });
    else this.#unlisted += 1;
  }

  get unlisted(): number {
    return this.#unlisted;
  }

  list(): readonly ObservedRefusal[] {
    return [...this.#kinds.values()].map((kind) => ({ ...kind })).toSorted((one, other) => other.count - one.count);
  }
}
