/** Failed commands: one that is not there, as against one that is and does not work. */

/** Whether there is no such command, or no such folder on the way to it. */
export function isNoSuchCommand(error: unknown): boolean {
  const code = property(error, 'code');
  return code === 'ENOENT' || code === 'ENOTDIR';
}

/** What the command itself said of it, else what Node says: one line. */
export function firstLine(error: unknown): string {
  const said = String(property(error, 'stderr') ?? '').trim() || String(property(error, 'message') ?? '');
  return (said || String(property(error, 'name') ?? error)).split('\n')[0] ?? '';
}

function property(error: unknown, name: string): unknown {
  return typeof error === 'object' && error !== null && name in error
    ? (error as Record<string, unknown>)[name]
    : undefined;
}
