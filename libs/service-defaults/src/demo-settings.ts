/** Demo settings: what a service needs to know in demo mode only, and is not asked for otherwise. */
import type { Variables } from './variables.js';

/** By variable, with the values of the demonstration on one machine. */
export interface DemoDescription {
  /** Of services that it attacks, and does not call else. */
  readonly urls?: Readonly<Record<string, string>>;
  /** Of clients that it is beside itself. */
  readonly secrets?: Readonly<Record<string, string>>;
}

export interface DemoSettings {
  /** The names, without a port, by which it lets itself be called, beside addresses and `localhost`. */
  readonly hosts: readonly string[];
  readonly urls: Readonly<Record<string, string>>;
  readonly secrets: Readonly<Record<string, string>>;
}

export function readDemoSettings(
  variables: Variables,
  { urls = {}, secrets = {} }: DemoDescription,
  hosts: readonly string[],
): DemoSettings {
  const read = (defaults: Readonly<Record<string, string>>, value: (name: string, otherwise: string) => string) =>
    Object.fromEntries(Object.entries(defaults).map(([name, otherwise]) => [name, value(name, otherwise)]));
  return {
    hosts,
    // Demo mode is never production, so plain http will do.
    urls: read(urls, (name, otherwise) => variables.optionalUrl(name, true) ?? otherwise),
    secrets: read(secrets, (name, otherwise) => variables.secret(name, otherwise)),
  };
}
