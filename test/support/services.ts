/** The services that a spec can start: their modules, and whose addresses each of them is told. */
import type { ServiceModule } from 'service-defaults';
import { ServiceAModule } from '../../apps/service-a/src/service-a.module.js';
import { ServiceBModule } from '../../apps/service-b/src/service-b.module.js';
import { ServiceCModule } from '../../apps/service-c/src/service-c.module.js';

interface ServiceDescription {
  readonly name: string;
  readonly module: ServiceModule;
  /** Those that it calls or attacks. */
  readonly calls: readonly string[];
  /** Users log in at it, so its address is known before it starts. */
  readonly login?: boolean;
}

/** In the order of starting: a service is there before it is called. */
export const SERVICES = [
  { name: 'service-c', module: ServiceCModule, calls: [] },
  { name: 'service-b', module: ServiceBModule, calls: ['service-c', 'service-a'] },
  { name: 'service-a', module: ServiceAModule, calls: ['service-b', 'service-c'], login: true },
] as const satisfies readonly ServiceDescription[];

export type ServiceName = (typeof SERVICES)[number]['name'];

/** What the names of a service's own variables begin with, such as `SERVICE_A`. */
export const prefixOf = (name: string): string => name.toUpperCase().replaceAll('-', '_');
