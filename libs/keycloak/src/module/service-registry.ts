import type { RegisteredService } from '../checkup/checkup-parts.js';
import { whoAnswers, type Answering } from '../checkup/who-answers.js';
import { whyUnreached, type Unreached } from '../checkup/why-unreached.js';
import { DeclaredScopes } from '../client/declared-scopes.js';
import type { Network } from '../http/network.js';
import type { CallsState } from '../resilience/call-gate.js';
import type { ResolvedServiceOptions } from '../options/service.options.js';

/** Limits the entries, because a request-scoped factory may register its service again for each request. */
const MAX_SERVICES = 1000;

interface Entry {
  readonly label: string;
  readonly service: Omit<RegisteredService, 'audience'> & Pick<ResolvedServiceOptions, 'audiences' | 'issuer'>;
  readonly transport: { readonly state: CallsState };
}

export class ServiceRegistry {
  readonly #entries = new Map<string, Entry>();
  readonly #timesOfLabel = new Map<string, number>();

  constructor(private readonly network: Network) {}

  add(name: string, options: ResolvedServiceOptions, transport: Entry['transport'], suffix = ''): DeclaredScopes {
    const { baseUrl, audiences, issuer, scopes } = options;
    const key = JSON.stringify([name, suffix, baseUrl, audiences, issuer, scopes]);
    const known = this.#entries.get(key);
    if (known !== undefined || this.#entries.size < MAX_SERVICES) {
      const address = { name, ...options };
      const asked = {
        whyUnreached: async (): Promise<Unreached | undefined> => whyUnreached(address, this.network),
        whoAnswers: async (): Promise<Answering | undefined> => whoAnswers(address, this.network),
      };
      const proxy = this.network.proxyLabel(baseUrl);
      const service = { name, baseUrl, audiences, issuer, scopes, proxy, ...asked };
      this.#entries.set(key, { label: known?.label ?? this.#labelOf(name + suffix), service, transport });
    }
    return new DeclaredScopes(name, scopes);
  }

  /** The result has `asService` scopes only for the issuer of this service's own tokens. */
  servicesAt(issuer: string): readonly RegisteredService[] {
    return [...this.#entries.values()].flatMap(({ service: { audiences, issuer: ofItself, scopes, ...service } }) => {
      const audience = Object.hasOwn(audiences, issuer) ? audiences[issuer] : undefined;
      const askedHere = ofItself === issuer ? scopes : scopes && { ...scopes, asService: [] };
      return audience === undefined ? [] : [{ ...service, audience, scopes: askedHere }];
    });
  }

  states(): Readonly<Record<string, CallsState>> {
    return Object.fromEntries([...this.#entries.values()].map(({ label, transport }) => [label, transport.state]));
  }

  #labelOf(name: string): string {
    const times = (this.#timesOfLabel.get(name) ?? 0) + 1;
    this.#timesOfLabel.set(name, times);
    return times === 1 ? name : `${name} ${times}`;
  }
}
