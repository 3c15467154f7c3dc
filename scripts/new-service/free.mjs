import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @returns {string[]} the names of all packages of the workspaces */
export function packageNames() {
  const folders = ['apps', 'libs'].flatMap((parent) => readdirSync(parent).map((name) => join(parent, name)));
  const manifests = folders.map((folder) => join(folder, 'package.json')).filter((path) => existsSync(path));
  return manifests.map((path) => JSON.parse(readFileSync(path, 'utf8')).name);
}

/**
 * Skips the ports of other programs of the demonstration, such as Grafana.
 *
 * @param {{ services: Record<string, { port: number }>, poller: { port: number } }} description
 * @param {string} compose the text of docker-compose.yml
 */
export function freePort({ services, poller }, compose) {
  const published = [...compose.matchAll(/'127\.0\.0\.1:(?:\$\{\w+:-)?(\d+)/g)].map(([, port]) => Number(port));
  const taken = new Set([poller.port, ...published]);
  let port = 1 + Math.max(...Object.values(services).map((service) => service.port));
  while (taken.has(port)) port += 1;
  return port;
}
