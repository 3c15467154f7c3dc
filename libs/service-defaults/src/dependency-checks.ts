import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import axios, { isAxiosError } from 'axios';
import type { AuthorizationServerHealth, TlsOptions } from 'nestjs-keycloak-s2s';

const MAX_AGE_MS = 5000;

const TIMEOUT_MS = 1000;

/** A probe sends no token, and ignores proxies in the environment. */
const PROBE = { timeout: TIMEOUT_MS, maxRedirects: 0, proxy: false, maxContentLength: 10_000 } as const;

/**
 * If Keycloak is down, `code` is an error code of the library. If a service is down, `code` is `not_ready` or the code
 * of the network error.
 */
export type DependencyState = { readonly isUp: true } | { readonly isUp: false; readonly code: string };

export interface CheckedDependencies {
  readonly states: Readonly<Record<string, DependencyState>>;
  readonly checkedSecondsAgo: number;
}

type States = CheckedDependencies['states'];

export class DependencyChecks {
  #last: { readonly startedMs: number; readonly states: Promise<States> } | undefined;
  #ca: string | undefined;

  constructor(
    private readonly authorizationServer: Pick<AuthorizationServerHealth, 'check'>,
    private readonly nextServices: Readonly<Record<string, string>>,
    private readonly servicesTls: TlsOptions,
    private readonly nowMs: () => number = () => performance.now(),
  ) {}

  async read(): Promise<CheckedDependencies> {
    const now = this.nowMs();
    if (this.#last === undefined || now - this.#last.startedMs >= MAX_AGE_MS) {
      this.#last = { startedMs: now, states: this.#check() };
    }
    const { startedMs, states } = this.#last;
    return { states: await states, checkedSecondsAgo: Math.round((this.nowMs() - startedMs) / 1000) };
  }

  async #check(): Promise<States> {
    const checks = [
      this.#checkKeycloak(),
      ...Object.entries(this.nextServices).map(async ([name, url]) => [name, await this.#checkService(url)] as const),
    ];
    return Object.fromEntries(await Promise.all(checks));
  }

  async #checkKeycloak(): Promise<readonly [string, DependencyState]> {
    const status = await this.authorizationServer.check();
    return ['keycloak', status.reachable ? { isUp: true } : { isUp: false, code: status.code }];
  }

  async #checkService(url: string): Promise<DependencyState> {
    try {
      await axios.get(`${url}/health/ready`, { ...PROBE, ...this.#trust(), signal: AbortSignal.timeout(TIMEOUT_MS) });
      return { isUp: true };
    } catch (error) {
      return { isUp: false, code: codeOf(error) };
    }
  }

  /** While the file of authorities can't be read, the last content is used. */
  #trust(): { readonly httpsAgent?: Agent } {
    const { caFile } = this.servicesTls;
    if (caFile === undefined) return {};
    try {
      this.#ca = readFileSync(caFile, 'utf8');
    } catch (error) {
      if (this.#ca === undefined) throw error;
    }
    return { httpsAgent: new Agent({ ca: this.#ca }) };
  }
}

function codeOf(error: unknown): string {
  if (isAxiosError(error) && error.response !== undefined) return 'not_ready';
  return (error as NodeJS.ErrnoException).code ?? 'unreachable';
}
