import { SignalSourceError } from '../signal-source.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const texts = (value: unknown): readonly string[] => [value].flat().filter((one) => typeof one === 'string');

export const unexpected = (hint: string): SignalSourceError => new SignalSourceError('answered_unexpectedly', hint);
