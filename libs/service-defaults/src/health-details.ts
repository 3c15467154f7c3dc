import { Inject, Injectable } from '@nestjs/common';
import {
  HealthCheckService,
  HealthIndicatorService,
  type HealthCheckResult,
  type HealthIndicatorResult,
} from '@nestjs/terminus';
import { KeycloakStatus } from 'nestjs-keycloak-s2s';
import { DependencyChecks, type CheckedDependencies } from './dependency-checks.js';

export const SERVICE_VERSION = Symbol('service-defaults:service-version');

@Injectable()
export class HealthDetails {
  constructor(
    private readonly health: HealthCheckService,
    private readonly indicators: HealthIndicatorService,
    private readonly dependencies: DependencyChecks,
    private readonly status: KeycloakStatus,
    @Inject(SERVICE_VERSION) private readonly version: string,
  ) {}

  async read(): Promise<HealthCheckResult> {
    const checked = await this.dependencies.read();
    return this.health.check([
      ...Object.keys(checked.states).map((name) => () => this.#dependency(name, checked)),
      () => this.#calls(),
      () => this.#denials(),
      () => this.#signals(),
      () => this.#stale(),
      () => this.#enforcement(),
      () => this.#runs(),
    ]);
  }

  #dependency(name: string, { states, checkedSecondsAgo }: CheckedDependencies): HealthIndicatorResult {
    const state = states[name];
    const indicator = this.indicators.check(name);
    if (state?.isUp === true) return indicator.up({ checkedSecondsAgo });
    return indicator.down({ code: state?.code, checkedSecondsAgo });
  }

  #calls(): HealthIndicatorResult {
    const { authorizationServer, services } = this.status.read();
    const indicator = this.indicators.check('calls');
    const calls = { authorizationServer, services };
    const isOpen = [...Object.values(authorizationServer), ...Object.values(services)].some(
      ({ circuit }) => circuit === 'open',
    );
    return isOpen ? indicator.down(calls) : indicator.up(calls);
  }

  #denials(): HealthIndicatorResult {
    const { state, unshared, unreadable, refused, gaps, isTaking } = this.status.read().revocationChannel;
    if (state === 'none') return {};
    const indicator = this.indicators.check('denials');
    const details = { state, unshared, unreadable, refused: countsAboveZero(refused), gaps };
    const isShared = state === 'caught_up' && isTaking && unreadable === 0;
    return isShared ? indicator.up(details) : indicator.down(details);
  }

  /** Reports a failed revocation feed as up, because the failure only makes cached results expire earlier. */
  #signals(): HealthIndicatorResult {
    const { signals } = this.status.read();
    return signals.state === 'none' ? {} : this.indicators.check('signals').up({ ...signals });
  }

  /** Reports expired results as up, because the calls that they replace are down. */
  #stale(): HealthIndicatorResult {
    const { staleIntrospections } = this.status.read();
    const { maxSeconds, inUseSeconds } = staleIntrospections;
    if (maxSeconds === 0) return {};
    const warning = inUseSeconds === undefined ? {} : { warning: 'Expired introspection results are in use' };
    return this.indicators.check('staleIntrospections').up({ ...warning, ...staleIntrospections });
  }

  /**
   * A service that only observes is reported as up until the day `observeUntil`. After this day, the service can't
   * start again.
   */
  #enforcement(): HealthIndicatorResult {
    const { enforcement } = this.status.read();
    const indicator = this.indicators.check('enforcement');
    if (enforcement.mode === 'enforce') return indicator.up({ ...enforcement });
    const details = { warning: 'Access is NOT enforced by nestjs-keycloak-s2s', ...enforcement };
    return enforcement.isOverdue ? indicator.down(details) : indicator.up(details);
  }

  #runs(): HealthIndicatorResult {
    const { caches, version: library } = this.status.read();
    const versions = { service: this.version, library, node: process.versions.node };
    return this.indicators.check('process').up({ versions, caches });
  }
}

const countsAboveZero = (counts: Readonly<Record<string, number>>): Readonly<Record<string, number>> =>
  Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0));
