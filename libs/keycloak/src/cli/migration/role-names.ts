import type { MigratedFile } from './migrated-file.js';
import { roleConstants } from './role-constants.js';
import { bare, callOf, propertiesOf, valueOf, type Syntax } from './syntax.js';

export interface RoleDemand {
  readonly roles: readonly Syntax[];
  readonly isAll: boolean;
  /** Whether `isAll` comes from `@RoleMatchingMode`. */
  readonly sharesMode: boolean;
}

/**
 * `realm` or `client`: every role is a literal of the same kind, so the permissions need no prefix.
 * `prefixed`: permissions keep the names of nest-keycloak-connect (`realm:a`, `a`, `other:a`).
 */
export interface RoleNames {
  readonly kind: 'none' | 'realm' | 'client' | 'prefixed';
  readonly otherClients: readonly string[];
  readonly hasRealmRoles: boolean;
  readonly hasOwnRoles: boolean;
  readonly constants: ReadonlyMap<string, string>;
}

export function rolesOf(
  file: MigratedFile,
  target: Syntax | undefined,
  args: readonly Syntax[],
): RoleDemand | undefined {
  const [first] = args;
  if (first?.kind !== 'ObjectLiteralExpression') {
    const mode = target?.decorators.map(callOf).find((call) => file.oldName(call?.callee) === 'RoleMatchingMode')
      ?.args[0];
    return checked(args, mode === undefined ? false : isAllMode(mode), mode !== undefined);
  }
  const properties = propertiesOf(first);
  const roles = valueOf(properties.get('roles'));
  const list = roles === undefined ? undefined : bare(roles);
  if (list?.kind !== 'ArrayLiteralExpression' || properties.has('...')) return undefined;
  const mode = valueOf(properties.get('mode'));
  return checked(list.fields('elements'), properties.has('mode') ? isAllMode(mode) : false, false);
}

function checked(roles: readonly Syntax[], isAll: boolean | undefined, sharesMode: boolean): RoleDemand | undefined {
  return isAll === undefined || !roles.every(isRoleName) ? undefined : { roles, isAll, sharesMode };
}

function isRoleName(role: Syntax): boolean {
  if (!role.isText) return role.kind === 'PropertyAccessExpression' && /^[A-Z]/.test(role.text);
  // nest-keycloak-connect ignores all parts of a name after the second colon.
  const parts = role.value?.split(':') ?? [];
  const isPlainClient = parts.length < 2 || !/['"`\\$]/.test(parts[0] ?? '');
  return parts.length <= 2 && isPlainClient && parts.every((part) => part.trim() !== '' && !/\p{Cc}/u.test(part));
}

export function isAllMode(mode: Syntax | undefined): boolean | undefined {
  const name = mode?.kind === 'PropertyAccessExpression' ? mode.field('name')?.value : mode?.value;
  return { ALL: true, all: true, ANY: false, any: false }[name ?? ''];
}

/** Reads the roles in all files, because one `mapPermissions` function applies to all routes. */
export function roleNamesOf(files: readonly MigratedFile[]): RoleNames {
  const calls = files.flatMap((file) =>
    [...file.root.walk()].flatMap((node) => {
      const call = node.kind === 'CallExpression' ? callOf(node) : undefined;
      if (call === undefined || file.oldName(call.callee) !== 'Roles') return [];
      return rolesOf(file, undefined, call.args) ?? 'unclear';
    }),
  );
  const roles = calls.flatMap((demand) => (demand === 'unclear' ? [] : demand.roles));
  const constants = roleConstants(files);
  const values = roles.map((role) => (role.isText ? role.value : constants.get(role.text)));
  const isOpen = calls.includes('unclear') || values.includes(undefined);
  const kinds = values.filter((value) => value !== undefined).map(prefixOf);
  const otherClients = [...new Set(kinds.filter((kind) => kind !== 'realm' && kind !== ''))].toSorted();
  const hasRealmRoles = isOpen || kinds.includes('realm');
  const hasOwnRoles = isOpen || kinds.includes('');
  const isLiteral = !isOpen && roles.every(({ isText }) => isText);
  const isOne = isLiteral && otherClients.length === 0 && hasRealmRoles !== hasOwnRoles;
  const kind = calls.length === 0 ? 'none' : isOne ? (hasRealmRoles ? 'realm' : 'client') : 'prefixed';
  return { kind, otherClients, hasRealmRoles, hasOwnRoles, constants };
}

const prefixOf = (role: string): string => (role.includes(':') ? role.slice(0, role.indexOf(':')) : '');

export function permissionsFor(file: MigratedFile, { roles, isAll }: RoleDemand, names: RoleNames): string {
  if (roles.length === 0) return `${file.need('Authenticated')}()`;
  const texts = roles.map((role) => {
    if (names.kind !== 'realm' || !role.isText) return role.text;
    return role.text.replace('realm:', '');
  });
  const decorator = isAll || roles.length === 1 ? 'RequirePermission' : 'RequireAnyPermission';
  return `${file.need(decorator)}(${texts.join(', ')})`;
}

export function mapPermissions(file: MigratedFile, names: RoleNames, clientId: string): readonly string[] {
  if (names.kind === 'none') return [];
  if (names.kind === 'realm') return [`mapPermissions: ${file.need('realmRoles')},`];
  const ofClient = (id: string): string => `${file.need('clientRoles')}(claims, ${id})`;
  if (names.kind === 'client') return [`mapPermissions: (claims) => ${ofClient(clientId)},`];
  const { quote } = file.edits;
  return [
    'mapPermissions: (claims) => [',
    ...(names.hasRealmRoles ? [`  ...${file.need('realmRoles')}(claims).map((role) => \`realm:\${role}\`),`] : []),
    // A role of the service's own client with a colon in its name must not count as a realm role.
    ...(names.hasOwnRoles ? [`  ...${ofClient(clientId)}.filter((role) => !role.includes(${quote}:${quote})),`] : []),
    ...names.otherClients.map((id) => `  ...${ofClient(quote + id + quote)}.map((role) => \`${id}:\${role}\`),`),
    '],',
  ];
}
