import type { Environment } from 'service-defaults';
import { serviceAConfig, type ServiceAConfig } from '../src/config.js';

export function settingsFrom(environment: Environment): ServiceAConfig {
  const urls = Object.keys(serviceAConfig.description.calls).map((name) => [
    `${name.toUpperCase().replaceAll('-', '_')}_URL`,
    'http://127.0.0.1:9',
  ]);
  return serviceAConfig.from({ ...Object.fromEntries(urls), ...environment });
}
