/** Which room may import which. Each rule has one line that says why; `npm run lint` holds them. */
const CORE = '^libs/keycloak/src/';
const rooms = (...names) => `${CORE}(${names.join('|')})/`;
const notSpec = '[.]spec[.]ts$';
const builtin = ['core'];

/** A room of the core sees those below it, Node, and the packages that are named: nothing else. */
const looksDown = (room, below, reason, packages = []) => ({
  name: `${room}-looks-down`,
  comment: reason,
  severity: 'error',
  from: { path: rooms(room), pathNot: notSpec },
  to: {
    pathNot: [rooms(room, ...below), ...packages.map((name) => `node_modules/${name}/`)],
    dependencyTypesNot: builtin,
  },
});

/** A package of this repository is known by its door alone. */
const throughTheDoor = (library, from, reason, doors = ['index']) => ({
  name: `${library}-through-the-door`,
  comment: reason,
  severity: 'error',
  from: { path: from, pathNot: notSpec },
  to: { path: `^libs/${library}/`, pathNot: `^libs/${library}/(src|dist)/(${doors.join('|')})[.](ts|js|d[.]ts)$` },
});

/** A package of this repository imports no other one but these. */
const packageLooksDown = (library, below, reason) => ({
  name: `${library}-looks-down`,
  comment: reason,
  severity: 'error',
  from: { path: `^libs/${library}/src/`, pathNot: notSpec },
  to: { path: '^(libs|apps|test|scripts|bench)/', pathNot: `^libs/(${[library, ...below].join('|')})/` },
});

/** A room of Service A sees those below it; of the files beside the rooms, which are of the whole service, it may see any. */
const roomOfServiceA = (room, below, reason) => ({
  name: `service-a-${room}-looks-down`,
  comment: reason,
  severity: 'error',
  from: { path: `^apps/service-a/src/${room}/`, pathNot: notSpec },
  to: { path: '^apps/service-a/src/[^/]+/', pathNot: `^apps/service-a/src/(${[room, ...below].join('|')})/` },
});

/**
 * Doors of the library with optional peers, each a folder of its own name (house rules in ARCHITECTURE.md). Who does not use one
 * installs nothing for it.
 */
const DOORS = [
  'axios',
  'graphql',
  'websockets',
  'microservices',
  'valkey',
  'opentelemetry',
  'swagger',
  'jwt',
  'signals',
];
/** Those that verify signatures: by jose, in the room below them. */
const BY_SIGNATURE = ['jwt', 'signals'];
const aDoor = (door) => [
  {
    name: `${door}-is-looked-into-by-nobody`,
    comment: 'Neither the core nor another door knows a door: its peers are optional.',
    severity: 'error',
    from: { path: CORE, pathNot: [rooms(door), notSpec] },
    to: { path: rooms(door) },
  },
  {
    name: `${door}-looks-through-ports`,
    comment: 'A door uses what the first door exports, and the ports that the core has for doors.',
    severity: 'error',
    from: { path: rooms(door), pathNot: notSpec },
    to: {
      path: '^(libs|apps)/',
      pathNot: [rooms(door, 'ports', ...(BY_SIGNATURE.includes(door) ? ['jws'] : [])), `${CORE}index[.]ts$`],
    },
  },
];

/** @type {import('dependency-cruiser').IConfiguration} */
module.exports = {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Arrows point downward only.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'no-unresolvable',
      comment: 'An import that resolves to nothing escapes every other rule.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },

    // The packages.
    packageLooksDown('keycloak-test-servers', [], 'Of use to people who never saw Nest: it stands on nothing of ours.'),
    packageLooksDown('keycloak', [], 'The library stands on nothing of ours.'),
    packageLooksDown('service-defaults', ['keycloak'], 'What services share knows no demonstration and no test.'),
    packageLooksDown('demo', ['keycloak', 'service-defaults'], 'The demonstration stands on what services share.'),
    throughTheDoor('keycloak', '^(apps|libs/(service-defaults|demo))/', 'Services use what the doors export.', [
      'index',
      'axios/index',
      'jwt/index',
      'opentelemetry/index',
      'signals/index',
      'swagger/index',
      'valkey/index',
    ]),
    throughTheDoor('service-defaults', '^(apps|libs/demo)/', 'Services use what the door exports.'),
    throughTheDoor('demo', '^apps/', 'Services use what the door exports.'),
    {
      name: 'demo-in-demo-mode-only',
      comment: 'What a service does in production stands on nothing of the demonstration.',
      severity: 'error',
      from: { path: '^libs/service-defaults/' },
      to: { path: '^libs/demo/' },
    },
    {
      name: 'telemetry-is-loaded-where-it-is-on',
      comment: 'A service that measures and traces nothing loads no SDK: bootstrap() imports the folder when it is on.',
      severity: 'error',
      from: { path: '^libs/service-defaults/src/', pathNot: ['^libs/service-defaults/src/telemetry/', notSpec] },
      to: {
        path: ['^libs/service-defaults/src/telemetry/', 'node_modules/@opentelemetry/', 'keycloak/.*/opentelemetry/'],
        dependencyTypesNot: ['dynamic-import', 'type-only'],
      },
    },
    {
      name: 'test-servers-only-in-specs-and-scripts',
      comment: 'A server with published passwords must not be started by a running service.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/keycloak-test-servers/', '/spec-support/', notSpec] },
      to: { path: '^libs/keycloak-test-servers/' },
    },
    {
      name: 'spec-support-only-in-specs',
      comment: 'Fixtures of our own specs are in no package.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['/spec-support/', notSpec] },
      to: { path: '/spec-support/' },
    },
    {
      name: 'apps-do-not-import-apps',
      comment: 'Services meet on the wire.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'no-undeclared-package',
      comment: 'What is imported is in the package.json of the workspace that imports it.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['/(spec-support|contract)/', notSpec] },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },

    // The rooms of the core, from the ground up.
    looksDown('protocol', [], 'The words are pure: no Nest, no network, no clock.'),
    looksDown('caching', [], 'Caching is about keys, values and deadlines; only its LRU comes from outside.', [
      'lru-cache',
    ]),
    looksDown(
      'http',
      ['caching', 'protocol'],
      'It sends requests over kept-alive connections; what they carry is nothing to it.',
      ['undici'],
    ),
    looksDown('resilience', ['caching', 'protocol'], 'Who is called, and how, is nothing to it.', ['cockatiel']),
    looksDown('revocation', ['caching', 'protocol'], 'Both rooms that judge ask it; it knows neither of them.'),
    looksDown('diagnostics', ['caching', 'protocol'], 'Three rooms publish; who listens is outside.'),
    {
      name: 'client-authentication-looks-down',
      comment: 'It reads credentials; who is shown them is nothing to it.',
      severity: 'error',
      from: { path: rooms('client-authentication'), pathNot: notSpec },
      to: {
        pathNot: [rooms('client-authentication', 'caching', 'protocol'), `${CORE}configuration-faults[.]ts$`],
        dependencyTypesNot: builtin,
      },
    },
    looksDown(
      'authorization-server',
      ['client-authentication', 'resilience', 'diagnostics', 'http', 'caching', 'protocol'],
      'It serves the rooms above it and knows none of them.',
      ['oauth4webapi', 'jsonc-parser', '@nestjs', 'rxjs'],
    ),
    looksDown(
      'resource-server',
      ['authorization-server', 'revocation', 'diagnostics', 'caching', 'protocol'],
      'It meets the client in the type VerifiedAccessToken, and nowhere else.',
      ['@nestjs', 'rxjs', 'reflect-metadata'],
    ),
    looksDown(
      'client',
      ['authorization-server', 'revocation', 'resilience', 'diagnostics', 'http', 'caching', 'protocol'],
      'It meets the resource server in the type VerifiedAccessToken, and nowhere else.',
      ['@nestjs', 'rxjs', 'reflect-metadata'],
    ),
    {
      name: 'checkup-looks-at-calls',
      comment: 'It looks at what the server grants; what a service does with it is nothing to it.',
      severity: 'error',
      from: { path: rooms('checkup'), pathNot: notSpec },
      to: {
        path: CORE,
        pathNot: [
          rooms('checkup', 'authorization-server', 'client-authentication', 'client', 'http', 'protocol'),
          `${CORE}[^/]+[.]ts$`,
        ],
      },
    },
    {
      name: 'doctor-is-known-to-nobody',
      comment: 'The command looks at a service from outside; no service needs it.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [rooms('doctor'), notSpec] },
      to: { path: '^libs/keycloak/(src|dist)/doctor/' },
    },
    {
      name: 'http-knows-no-token',
      comment: 'Of the words it has those for failures.',
      severity: 'error',
      from: { path: rooms('http'), pathNot: notSpec },
      to: { path: rooms('protocol'), pathNot: `${CORE}protocol/connection-failures[.]ts$` },
    },
    {
      name: 'nest-only-where-the-name-says-so',
      comment: 'A kind suffix (.guard, .module …) if and only if the file touches Nest.',
      severity: 'error',
      from: {
        path: CORE,
        pathNot: [
          notSpec,
          '[.](guard|filter|exception|controller|decorator|decorators|discovery|module|module-definition|service|adapter|carrier)[.]ts$',
        ],
      },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'oauth-library-in-one-room',
      comment: 'Only the room that talks to the authorization server speaks the protocol.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: rooms('authorization-server') },
      to: { path: 'node_modules/oauth4webapi/' },
    },
    {
      name: 'undici-where-it-sends',
      comment:
        'What an HTTP client throws may carry the request with its token: none may come further than the files that send.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: [notSpec, rooms('testing', 'http')] },
      to: { path: 'node_modules/undici/' },
    },

    // The doors of the library beside the first.
    ...DOORS.flatMap(aDoor),
    {
      name: 'jws-is-for-doors-by-signature',
      comment: 'It needs jose: who verifies no signature installs nothing for it.',
      severity: 'error',
      from: { path: CORE, pathNot: [rooms('jws', ...BY_SIGNATURE), notSpec] },
      to: { path: rooms('jws') },
    },
    {
      name: 'jws-looks-through-ports',
      comment: 'It is below the doors, and has what they have of the core.',
      severity: 'error',
      from: { path: rooms('jws'), pathNot: notSpec },
      to: { path: '^(libs|apps)/', pathNot: rooms('jws', 'ports') },
    },
    {
      name: 'testing-stands-on-protocol',
      comment: 'The second door makes tokens and finds leaks; it needs no room that runs in a service.',
      severity: 'error',
      from: { path: rooms('testing'), pathNot: [notSpec, rooms('testing/in-memory')] },
      to: { path: '^libs/', pathNot: [rooms('testing', 'protocol'), `${CORE}production[.]ts$`] },
    },
    {
      name: 'in-memory-replaces-the-network',
      comment: 'What a service runs is to run in its tests: nothing of it is known but its words and its network.',
      severity: 'error',
      from: { path: rooms('testing/in-memory'), pathNot: [notSpec, '[.]module[.]ts$'] },
      to: { path: CORE, pathNot: rooms('testing', 'http', 'protocol') },
    },
    {
      name: 'testing-module-rewires-the-module',
      comment: 'It puts another network into the one module, and goes past it to none of its rooms.',
      severity: 'error',
      from: { path: `${CORE}testing/in-memory/.*[.]module[.]ts$` },
      to: {
        path: CORE,
        pathNot: [rooms('testing', 'http'), `${CORE}keycloak[.](module|module-definition|options)[.]ts$`],
      },
    },
    {
      name: 'testing-only-in-specs',
      comment: 'A test token must not be made in a running service.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [rooms('testing'), '/spec-support/', notSpec] },
      to: { path: '^libs/keycloak/(src|dist)/testing/' },
    },

    // The rooms of Service A, from the ground up.
    roomOfServiceA('pages', [], 'It renders, negotiates and serves assets; what a page is about is nothing to it.'),
    roomOfServiceA('orders', [], 'Orders are there whoever asks for them.'),
    roomOfServiceA('login', ['pages'], 'Who is logged in is nothing of what they do.'),
    roomOfServiceA('receipts', ['login', 'orders'], "It passes documents on for a user; what they are is Service B's."),
    roomOfServiceA('chain', ['login', 'orders', 'pages'], 'What is done for a user; the attacks are beside it.'),
    roomOfServiceA('attacks', ['login', 'pages'], 'What is done for a user; the chain is beside it.'),
    roomOfServiceA('matrix', ['attacks', 'login', 'pages'], 'Its attacks are made with the same tools.'),
    roomOfServiceA('watch', ['attacks', 'login', 'pages'], 'It presents tokens with the same tools.'),
    roomOfServiceA('demo', ['attacks', 'matrix', 'pages', 'watch'], 'It wires what there is in demo mode only.'),
    roomOfServiceA(
      'home',
      ['attacks', 'matrix', 'watch', 'chain', 'login', 'orders', 'pages'],
      'The start page leads to the others.',
    ),
    {
      name: 'openid-library-in-the-login',
      comment: 'Only the login of Service A speaks OpenID Connect, and no error of that library may come further.',
      severity: 'error',
      from: {
        path: '^(libs|apps)/',
        pathNot: '^apps/service-a/src/login/openid-(configuration|errors|provider|transport)[.]ts$',
      },
      to: { path: 'node_modules/openid-client/' },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/(?!index|testing/index|axios/index)' },
    includeOnly: '^(apps|libs|test|scripts|node_modules)/',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.depcruise.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'default'] },
  },
};
