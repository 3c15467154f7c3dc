import type { Environment } from './given-secrets.js';

export interface Surroundings {
  readonly environment: Environment;
  readonly print: (text: string) => void;
  readonly printError: (text: string) => void;
  readonly hasColors: boolean;
}

export const COULD_NOT_RUN = 3;

export const stackOf = (failure: unknown): string =>
  failure instanceof Error ? (failure.stack ?? failure.message) : String(failure);
