import type { ServiceScopes } from 'nestjs-keycloak-s2s';
import type { Variables } from './variables.js';

/** `urls` and `secrets` contain each variable's default for a demonstration on one machine. */
export interface DemoDescription {
  /** The URLs of the services that this service calls only when it runs attacks. */
  readonly urls?: Readonly<Record<string, string>>;
  readonly calls?: Readonly<Record<string, ServiceScopes>>;
  readonly secrets?: Readonly<Record<string, string>>;
  readonly flags?: readonly string[];
}

export interface DemoSettings {
  /** The accepted host names, without a port, in addition to IP addresses and `localhost`. */
  readonly hosts: readonly string[];
  readonly clientSecret: string;
  readonly urls: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
  readonly flags: Readonly<Record<string, boolean>>;
}

export function readDemoSettings(
  variables: Variables,
  { urls = {}, secrets = {}, flags = [] }: DemoDescription,
  hosts: readonly string[],
  clientSecret: string,
): DemoSettings {
  const read = (defaults: Readonly<Record<string, string>>, value: (name: string, fallback: string) => string) =>
    Object.fromEntries(Object.entries(defaults).map(([name, fallback]) => [name, value(name, fallback)]));
  return {
    hosts,
    clientSecret,
    // Demo mode is never production, so plain http is allowed.
    urls: read(urls, (name, fallback) => variables.optionalUrl(name, true) ?? fallback),
    secrets: read(secrets, (name, fallback) => variables.secret(name, fallback)),
    flags: Object.fromEntries(flags.map((name) => [name, variables.flag(name)])),
  };
}
