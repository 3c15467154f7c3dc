/** Transmitter answers: their form, as far as all of them have one, and the error for what has another. */
import { SignalSourceError } from '../signal-source.js';

export type JsonObject = Readonly<Record<string, unknown>>;

export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The texts of a list; that of a text alone. What is no text is left out. */
export const texts = (value: unknown): readonly string[] => [value].flat().filter((one) => typeof one === 'string');

/** `hint`: what is wrong with it, for an operator. */
export const unexpected = (hint: string): SignalSourceError => new SignalSourceError('answered_unexpectedly', hint);
