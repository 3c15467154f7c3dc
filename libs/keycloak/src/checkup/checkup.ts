/** Checks the configuration of a service with the service's own credentials, and changes nothing. */
import type { OptionsOfIssuer } from '../options/keycloak.options.js';
import { note, type Finding } from './finding.js';
import type { CheckupParts, RegisteredService } from './checkup-parts.js';
import { KeycloakException } from '../protocol/keycloak-exception.js';
import { protectedResourceFindings } from './protected-resource-findings.js';
import { reachFinding } from './reach-findings.js';
import { scopeFindings } from './scope-findings.js';
import {
  clockFinding,
  credentialsFinding,
  encryptionFinding,
  lifetimeFinding,
  ownTokenFinding,
  realmFindings,
  secretFinding,
} from './server-findings.js';

export class Checkup {
  constructor(private readonly parts: CheckupParts) {}

  get options(): OptionsOfIssuer {
    return this.parts.options;
  }

  cleanse(sentence: string): string {
    return this.parts.cleanse(sentence);
  }

  get services(): readonly RegisteredService[] {
    return this.parts.services();
  }

  /** Finds weak settings without sending a request. */
  async weaknesses(): Promise<Finding[]> {
    const { options, isProduction } = this.parts;
    const findings = [await secretFinding(this.parts), encryptionFinding(options, isProduction)];
    return findings.filter(({ level }) => level === 'warning' || level === 'error');
  }

  /** Does not throw, whatever Keycloak answers. */
  async run(): Promise<Finding[]> {
    return this.#cleansed(await this.#run());
  }

  /** Checks address, issuer and credentials, with one discovery request and one introspection. Does not throw. */
  async runBriefly(signal: AbortSignal): Promise<Finding[]> {
    return this.#cleansed(await this.#reach(signal));
  }

  #cleansed(findings: readonly Finding[]): Finding[] {
    return findings.map((finding) => ({ ...finding, message: this.parts.cleanse(finding.message) }));
  }

  async #reach(signal?: AbortSignal): Promise<Finding[]> {
    const findings = await realmFindings(this.parts, signal);
    return isStopped(findings) ? findings : [...findings, await credentialsFinding(this.parts, signal)];
  }

  async #run(): Promise<Finding[]> {
    const findings = [await secretFinding(this.parts), ...(await this.#reach())];
    if (isStopped(findings)) return [...findings, notLookedAt];
    const { profile, clockToleranceSeconds } = this.parts.options;
    if (profile !== 'keycloak') {
      findings.push(clockFinding(this.parts.clockSkew.measured, clockToleranceSeconds), ofKeycloakAlone(profile));
      return findings;
    }
    const { finding, token } = await ownTokenFinding(this.parts);
    if (finding.isUnreachable === true) return [...findings, finding, notLookedAt];
    findings.push(token === undefined ? this.#withoutAccount(finding) : finding);
    findings.push(clockFinding(this.parts.clockSkew.measured, clockToleranceSeconds));
    if (token !== undefined) findings.push(lifetimeFinding(this.parts, token));
    const [knownScopes, hasServiceAccount] = [await this.knownScopes(), token !== undefined];
    findings.push(...(await protectedResourceFindings(this.parts, knownScopes, hasServiceAccount)));
    const question = { ...this.parts, knownScopes, hasServiceAccount };
    const ofServices = this.parts.services().map(async (service) => scopeFindings({ ...question, service }));
    return [...findings, ...(await Promise.all(ofServices)).flat()];
  }

  /** Returns undefined if the discovery document is unreadable or lists no scopes (RFC 8414 §2). */
  async knownScopes(): Promise<readonly string[] | undefined> {
    return this.parts.metadata.get().then(
      ({ scopes_supported: listed }) =>
        Array.isArray(listed) ? listed.filter((scope) => typeof scope === 'string') : undefined,
      () => undefined,
    );
  }

  /** Sends each called service two requests without a valid token. */
  async reach(): Promise<Finding[]> {
    return Promise.all(this.parts.services().map(reachFinding));
  }

  async audiencesOf(scope: string): Promise<readonly string[]> {
    return this.parts.probe.ownToken(scope).then(
      (token) => (token.scope.includes(scope) ? token.audiences : []),
      (failure: unknown) => {
        if (failure instanceof KeycloakException) return [];
        throw failure;
      },
    );
  }

  /** A service account is needed only for calls with `asService` scopes. */
  #withoutAccount(finding: Finding): Finding {
    const mayNeedIt = this.parts.services().some(({ scopes }) => scopes === undefined || scopes.asService.length > 0);
    return mayNeedIt ? { ...finding, level: 'warning' } : { ...finding, level: 'note' };
  }
}

const notLookedAt = note(
  'credentials',
  'The checks that depend on this were skipped: credentials, clock, lifetimes and next services. Correct it, then run doctor again.',
);

const ofKeycloakAlone = (profile: string): Finding =>
  note(
    'service_account',
    `Token lifetimes and grants for the next services were not checked: only Keycloak supports these checks, and profile is ${profile}.`,
  );

const isStopped = (findings: readonly Finding[]): boolean =>
  findings.some(({ level, check }) => level === 'error' && !['secret', 'tls'].includes(check)) ||
  !findings.some(({ check, level }) => check === 'address' && level === 'ok');
