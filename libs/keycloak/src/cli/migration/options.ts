import type { MigratedFile } from './migrated-file.js';
import type { ProjectFacts } from './project-facts.js';
import { mapPermissions } from './role-names.js';
import { bare, propertiesOf, valueOf, type Syntax } from './syntax.js';

const JWT = 'nestjs-keycloak-s2s/jwt';

const SERVER = ['authServerUrl', 'serverUrl', 'auth-server-url', 'server-url'];
const CLIENT = ['clientId', 'resource', 'client-id'];

const WITHOUT_SUCCESSOR = new Set(
  `logLevels useNestLogger policyEnforcement roleMerge bearerOnly bearer-only confidential-port verifyTokenAudience
  verify-token-audience minTimeBetweenJwksRequests min-time-between-jwks-requests ssl-required`.split(/\s+/),
);

const DECISIONS: Readonly<Record<string, string>> = {
  cookieKey: 'decide how browsers call this service, because only the Authorization header counts.',
  multiTenant: 'list every accepted realm in the option issuers, because no function can choose a realm.',
  public: 'make the client confidential, because a public client cannot introspect tokens.',
  'public-client': 'make the client confidential, because a public client cannot introspect tokens.',
  realmPublicKey: 'remove the fixed key, because signatures are verified with the keys that the issuer publishes.',
  'realm-public-key': 'remove the fixed key, because signatures are verified with the keys that the issuer publishes.',
  '...': 'change the spread options to those of KeycloakModule.forRoot.',
};

export function migrateOptions(file: MigratedFile, object: Syntax, facts: ProjectFacts): void {
  if (!file.isFirstVisit(object)) return;
  const properties = propertiesOf(object);
  const gone = new Set<Syntax>();
  for (const property of object.fields('properties')) {
    const name = property.field('name')?.value ?? '...';
    const decision = DECISIONS[name];
    if (decision !== undefined && valueOf(property)?.kind !== 'FalseKeyword') file.decide(property, decision);
    if (WITHOUT_SUCCESSOR.has(name) || (decision !== undefined && name !== '...')) gone.add(property);
  }
  const [clientId, ...otherIds] = CLIENT.flatMap((name) => properties.get(name) ?? []);
  otherIds.forEach((property) => gone.add(property));
  if (clientId !== undefined) rename(file, clientId, 'clientId', textOf(file, valueOf(clientId)));
  const anchor = migrateSecret(file, properties) ?? clientId;
  migrateIssuer(file, object, properties, gone);
  migrateValidation(file, properties.get('tokenValidation'), gone);
  addOptions(file, facts, anchor, textOf(file, valueOf(clientId)));
  for (const property of gone) {
    file.forget(property);
    const comma = /^\s*,/.exec(file.source.text.slice(property.end, object.end))?.[0].length ?? 0;
    file.edits.remove(property.start, property.end + comma);
  }
}

function rename(file: MigratedFile, property: Syntax, name: string, value: string): void {
  const [key, old] = [property.field('name'), valueOf(property)];
  if (old === undefined) return file.decide(property, `give the option ${name} a value.`);
  const text = property.kind === 'ShorthandPropertyAssignment' && value === name ? name : `${name}: ${value}`;
  if (key?.value === name && value === old.text) return;
  file.replace(property, text);
}

/** Replaces a missing value by an empty string, which compiles, and which KeycloakModule refuses at the start. */
function textOf(file: MigratedFile, value: Syntax | undefined): string {
  if (value === undefined) return `${file.edits.quote.repeat(2)}`;
  const isVariable = /^process[.]env\b/.test(value.text) && /^(Property|Element)Access/.test(value.kind);
  const callee = value.kind === 'CallExpression' ? value.field('expression') : undefined;
  const isSetting = callee?.field('name')?.value === 'get';
  return isVariable || isSetting ? `${value.text} ?? ${file.edits.quote.repeat(2)}` : value.text;
}

function migrateSecret(file: MigratedFile, properties: ReadonlyMap<string, Syntax>): Syntax | undefined {
  const credentials = properties.get('credentials');
  const inner = valueOf(credentials);
  const nested = inner?.kind === 'ObjectLiteralExpression' ? propertiesOf(inner).get('secret') : undefined;
  const property = properties.get('secret') ?? credentials;
  const value = valueOf(properties.get('secret') ?? nested);
  if (property !== undefined && value === undefined) file.decide(property, 'give the option clientSecret.');
  else if (property !== undefined) rename(file, property, 'clientSecret', textOf(file, value));
  return property;
}

function migrateIssuer(
  file: MigratedFile,
  object: Syntax,
  properties: ReadonlyMap<string, Syntax>,
  gone: Set<Syntax>,
): void {
  const [server, ...others] = SERVER.flatMap((name) => properties.get(name) ?? []);
  const realm = properties.get('realm');
  const [serverValue, realmValue] = [valueOf(server), valueOf(realm)];
  if (server === undefined || serverValue === undefined || realmValue === undefined) {
    return file.decide(
      server ?? object,
      'give the option issuer: <authServerUrl>/realms/<realm>, as in the claim iss.',
    );
  }
  [realm, ...others].forEach((property) => property !== undefined && gone.add(property));
  const issuer = `${inTemplate(serverValue).replace(/\/$/, '')}/realms/${inTemplate(realmValue)}`;
  const isFixed = serverValue.isText && realmValue.isText;
  const quote = isFixed ? file.edits.quote : '`';
  file.replace(server, `issuer: ${quote}${issuer}${quote}`);
  if (issuer.startsWith('http:')) {
    file.decide(server, 'set allowInsecureRequests: true for development, or give an issuer with https:.');
  }
}

function inTemplate(value: Syntax): string {
  const inner = bare(value);
  if (inner.isText) return (inner.value ?? '').replaceAll(/[\\`'"]|\$\{/g, '\\$&');
  return inner.kind === 'TemplateExpression' ? inner.text.slice(1, -1) : `\${${inner.text}}`;
}

function migrateValidation(file: MigratedFile, property: Syntax | undefined, gone: Set<Syntax>): void {
  if (property === undefined) return;
  const value = valueOf(property);
  const method = (value?.field('name')?.value ?? value?.value ?? '').toUpperCase();
  if (method === 'OFFLINE') {
    const isAlone = file.edits.lineStart(property.start) > (property.parent?.start ?? 0);
    const separator = isAlone ? `,${file.edits.lineBreak}${file.edits.indentAt(property.start)}` : ', ';
    const verification = `verification: ${file.edits.quote}jwt${file.edits.quote}`;
    file.replace(property, `${verification}${separator}jwt: ${file.need('jwtVerification', JWT)}()`);
    file.decide(property, 'install jose to verify signatures, or remove verification and jwt to introspect tokens.');
    return;
  }
  gone.add(property);
  if (method === 'NONE') file.decide(property, 'expect refusals, because tokens were not verified and now are.');
  else if (method !== 'ONLINE') file.decide(property, 'choose introspection (the default) or verification: jwt.');
}

function addOptions(file: MigratedFile, facts: ProjectFacts, anchor: Syntax | undefined, clientId: string): void {
  if (anchor === undefined) return;
  const lines = [...mapPermissions(file, facts.roleNames, clientId)];
  if (facts.hasResolvers) {
    lines.push(`requestAdapters: [${file.need('graphqlRequestAdapter', 'nestjs-keycloak-s2s/graphql')}()],`);
  }
  const isOneLine = !file.source.text.slice(anchor.parent?.start, anchor.start).includes('\n');
  const rest = file.source.text.slice(anchor.end, file.edits.lineEnd(anchor.end));
  const isLastOnLine = /^\s*,?\s*(?:\/\/.*|\/\*.*\*\/)?\s*$/.test(rest);
  if ((isOneLine || !isLastOnLine) && lines.length > 0) {
    return file.edits.insert(anchor.end, `, ${lines.join(' ').replace(/,$/, '')}`);
  }
  const hasComma = /^\s*,/.test(file.source.text.slice(anchor.end));
  if (!hasComma && lines.length > 0) file.edits.insert(anchor.end, ',');
  lines.forEach((line) => file.edits.insertLine(anchor.end, line, 'after'));
}
