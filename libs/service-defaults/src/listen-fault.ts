export interface ListenPlace {
  readonly host: string;
  readonly port: number;
}

export type PlaceVariables = Readonly<Record<'host' | 'port', string>>;

export const SERVICE_PLACE: PlaceVariables = { host: 'HOST', port: 'PORT' };

const NO_ADDRESS = new Set<unknown>(['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL', 'ENOTFOUND', 'EAI_AGAIN']);
const NOT_ALLOWED = new Set<unknown>(['EACCES', 'EPERM']);

export function listenFault(error: unknown, { port }: ListenPlace, variables: PlaceVariables): string | undefined {
  const { code } = Object(error) as { readonly code?: unknown };
  if (code === 'EADDRINUSE') {
    return `Port ${port} is in use. Stop the process that listens there, or set ${variables.port}`;
  }
  if (NOT_ALLOWED.has(code)) {
    return `This process may not use port ${port} (${String(code)}). Set ${variables.port} to another port`;
  }
  return NO_ADDRESS.has(code) ? `${variables.host} is not an address of this machine (${String(code)})` : undefined;
}
