const MAX_LENGTH = 1024;

export const identifier = (value: unknown): string | undefined =>
  typeof value === 'string' && value.trim() !== '' && value.length <= MAX_LENGTH ? value : undefined;
