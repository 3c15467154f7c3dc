export function isNoSuchCommand(error: unknown): boolean {
  const code = property(error, 'code');
  return code === 'ENOENT' || code === 'ENOTDIR';
}

export function firstLine(error: unknown): string {
  const text = String(property(error, 'stderr') ?? '').trim() || String(property(error, 'message') ?? '');
  return (text || String(property(error, 'name') ?? error)).split('\n')[0] ?? '';
}

function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null && name in error
    ? (error as Record<string, unknown>)[name]
    : undefined;
}
