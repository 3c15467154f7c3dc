import type { ServiceModule } from 'service-defaults';
import description from '../../services.json' with { type: 'json' };

export interface ServiceDescription {
  readonly name: string;
  readonly demoSecret: string;
  readonly calls: readonly string[];
  readonly attacks?: readonly string[];
  readonly login?: boolean;
}

const services: Readonly<Record<string, Omit<ServiceDescription, 'name'>>> = description.services;

/** A called service comes before the calling service. */
export const SERVICES: readonly ServiceDescription[] = Object.entries(services)
  .map(([name, service]) => ({ ...service, name }))
  .toReversed();

export const POLLER = description.poller.name;

export async function moduleOf(name: string): Promise<ServiceModule> {
  const exported = (await import(`../../apps/${name}/src/${name}.module.js`)) as Readonly<Record<string, unknown>>;
  const words = name.split('-').map((word) => word.charAt(0).toUpperCase() + word.slice(1));
  return exported[`${words.join('')}Module`] as ServiceModule;
}
