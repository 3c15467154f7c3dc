import type { Representation } from './admin-api.js';

export const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

export const textsOf = (value: unknown): readonly string[] => listOf(value).filter((one) => typeof one === 'string');

export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

export const recordOf = (value: unknown): Representation =>
  typeof value === 'object' && value !== null ? (value as Representation) : {};
