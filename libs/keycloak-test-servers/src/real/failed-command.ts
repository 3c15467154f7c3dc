/** Failed commands: tells a missing command from one that fails. */

/** Whether the command, or a folder in its path, does not exist. */
export function isNoSuchCommand(error: unknown): boolean {
  const code = property(error, 'code');
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** The first line of the command's standard error, else of Node's message. */
export function firstLine(error: unknown): string {
  const text = String(property(error, 'stderr') ?? '').trim() || String(property(error, 'message') ?? '');
  return (text || String(property(error, 'name') ?? error)).split('\n')[0] ?? '';
}

function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null && name in error
    ? (error as Record<string, unknown>)[name]
    : undefined;
}
