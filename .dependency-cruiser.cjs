/**
 * The rules define which folder may import which other folder. The `comment` of a rule gives the reason. `npm run lint`
 * enforces the rules.
 */
const CORE = '^libs/keycloak/src/';
const folders = (...names) => `${CORE}(${names.join('|')})/`;
const EMBEDDED = '^libs/keycloak-test-servers/src/embedded/';
const notSpec = '[.]spec[.]ts$';
const builtin = ['core'];

/** A core folder may import only the folders in `below`, Node and the named packages. */
const looksDown = (folder, below, reason, packages = []) => ({
  name: `${folder}-looks-down`,
  comment: reason,
  severity: 'error',
  from: { path: folders(folder), pathNot: notSpec },
  to: {
    pathNot: [folders(folder, ...below), ...packages.map((name) => `node_modules/${name}/`)],
    dependencyTypesNot: builtin,
  },
});

/** Other packages may import a package of this repository only by its entry points. */
const byEntryPoint = (library, from, reason, entryPoints = ['index']) => ({
  name: `${library}-by-entry-point`,
  comment: reason,
  severity: 'error',
  from: { path: from, pathNot: notSpec },
  to: {
    path: `^libs/${library}/`,
    pathNot: `^libs/${library}/(src|dist)/(${entryPoints.join('|')})[.](ts|js|d[.]ts)$`,
  },
});

/** Within this repository, a package may import only the packages in `below`. */
const packageLooksDown = (library, below, reason) => ({
  name: `${library}-looks-down`,
  comment: reason,
  severity: 'error',
  from: { path: `^libs/${library}/src/`, pathNot: notSpec },
  to: { path: '^(libs|apps|test|scripts|bench)/', pathNot: `^libs/(${[library, ...below].join('|')})/` },
});

/**
 * A folder of the embedded server may import the folders in `below`. Only the files beside the folders may import all
 * folders.
 */
const folderOfEmbedded = (folder, below, reason) => ({
  name: `embedded-${folder}-looks-down`,
  comment: reason,
  severity: 'error',
  from: { path: `${EMBEDDED}${folder}/`, pathNot: notSpec },
  to: { path: EMBEDDED, pathNot: `${EMBEDDED}(${[folder, ...below].join('|')})/` },
});

/** Service A's folders may import the folders in `below` and the files beside the folders. */
const folderOfServiceA = (folder, below, reason) => ({
  name: `service-a-${folder}-looks-down`,
  comment: reason,
  severity: 'error',
  from: { path: `^apps/service-a/src/${folder}/`, pathNot: notSpec },
  to: { path: '^apps/service-a/src/[^/]+/', pathNot: `^apps/service-a/src/(${[folder, ...below].join('|')})/` },
});

/**
 * The entry points with optional peers. Each entry point is a folder of `entry-points/`. A service installs only the
 * peers of the entry points that it uses.
 */
const ENTRY_POINTS = [
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
/**
 * The entry points without peers. These entry points only export rarely used parts of the core. So any entry
 * point may import them.
 */
const OF_THE_CORE = ['client-authentication', 'diagnostics', 'extension'];
/** The entry points that verify signatures with jose. The code is in the folder `jws`. */
const BY_SIGNATURE = ['jwt', 'signals'];
const entryPoint = (name) => `entry-points/${name}`;
const anEntryPoint = (name) => [
  {
    name: `${name}-is-imported-by-nothing`,
    comment: 'Neither the core nor another entry point imports an entry point: its peers are optional.',
    severity: 'error',
    from: { path: CORE, pathNot: [folders(entryPoint(name)), notSpec] },
    to: { path: folders(entryPoint(name)) },
  },
  {
    name: `${name}-looks-through-ports`,
    comment:
      'An entry point imports the main entry point, those of the core, and the ports that the core has for entry points.',
    severity: 'error',
    from: { path: folders(entryPoint(name)), pathNot: notSpec },
    to: {
      path: '^(libs|apps)/',
      pathNot: [
        folders(...[name, 'ports', ...OF_THE_CORE, ...(BY_SIGNATURE.includes(name) ? ['jws'] : [])].map(entryPoint)),
        `${CORE}index[.]ts$`,
      ],
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
    byEntryPoint('keycloak', '^(apps|libs/(service-defaults|demo))/', 'Services use what the entry points export.', [
      'index',
      'entry-points/[^/]+/index',
    ]),
    packageLooksDown('mcp', ['keycloak'], 'The package for MCP servers stands on the library alone.'),
    byEntryPoint('keycloak', '^libs/mcp/', 'The package for MCP servers uses what any package could use.', [
      'index',
      'entry-points/extension/index',
    ]),
    {
      name: 'mcp-needs-no-mcp-library',
      comment: 'mcp-nest and the SDK change often: no change of theirs may break a check of ours.',
      severity: 'error',
      from: { path: '^libs/mcp/src/', pathNot: notSpec },
      to: { path: 'node_modules/(@modelcontextprotocol|@rekog)/' },
    },
    byEntryPoint('service-defaults', '^(apps|libs/demo)/', 'Services use what the entry point exports.'),
    byEntryPoint('demo', '^apps/', 'Services use what the entry point exports.'),
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

    // The folders of the core, from the lowest to the highest.
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
    looksDown('resilience', ['caching', 'protocol'], 'Who is called, and how, is nothing to it.'),
    looksDown(
      'revocation',
      ['caching', 'protocol'],
      'Both folders that check for denials ask it; it knows neither of them.',
    ),
    looksDown('diagnostics', ['caching', 'protocol'], 'Three folders publish; who listens is outside.'),
    looksDown(
      'client-authentication',
      ['caching', 'protocol'],
      'It reads credentials; who is shown them is nothing to it.',
    ),
    looksDown(
      'authorization-server',
      ['client-authentication', 'resilience', 'diagnostics', 'http', 'caching', 'protocol'],
      'It serves the folders above it and knows none of them.',
      ['oauth4webapi', '@nestjs', 'rxjs'],
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
    looksDown(
      'options',
      ['resource-server', 'client', 'revocation', 'client-authentication', 'http', 'caching', 'protocol'],
      'It names the types that an application passes, and checks them before anything is made of them.',
    ),
    looksDown(
      'checkup',
      ['options', 'client', 'authorization-server', 'client-authentication', 'http', 'protocol'],
      'It looks at what the server grants; what a service does with it is nothing to it.',
      ['@nestjs'],
    ),
    looksDown(
      'module',
      [
        'checkup',
        'options',
        'resource-server',
        'client',
        'authorization-server',
        'revocation',
        'resilience',
        'http',
        'caching',
        'protocol',
      ],
      'It wires the folders below it; the main entry point, the doctor and the tests stand on it.',
      ['@nestjs', 'rxjs'],
    ),
    looksDown(
      'cli',
      [
        'module',
        'checkup',
        'options',
        'resource-server',
        'authorization-server',
        'revocation',
        'http',
        'caching',
        'protocol',
      ],
      'It reads what a service is composed of, and changes nothing.',
      ['@nestjs', 'reflect-metadata'],
    ),
    {
      name: 'cli-is-known-to-nobody',
      comment: 'The command looks at a service from outside; no service needs it.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [folders('cli'), '/spec-support/', notSpec] },
      to: { path: '^libs/keycloak/(src|dist)/cli/' },
    },
    {
      name: 'http-knows-no-token',
      comment: 'Of the words it has those for failures.',
      severity: 'error',
      from: { path: folders('http'), pathNot: notSpec },
      to: { path: folders('protocol'), pathNot: `${CORE}protocol/connection-failures[.]ts$` },
    },
    {
      name: 'nest-only-where-the-name-says-so',
      comment: 'A kind suffix (.guard, .module …) if and only if the file touches Nest.',
      severity: 'error',
      from: {
        path: CORE,
        pathNot: [
          notSpec,
          '[.](guard|filter|exception|controller|decorator|decorators|discovery|module|module-definition|service|adapter)[.]ts$',
        ],
      },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'oauth-library-in-one-folder',
      comment: 'Only the folder that talks to the authorization server speaks the protocol.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: folders('authorization-server') },
      to: { path: 'node_modules/oauth4webapi/' },
    },
    {
      name: 'undici-where-it-sends',
      comment:
        'What an HTTP client throws may carry the request with its token: none may come further than the files that send.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: [notSpec, folders('testing', 'http')] },
      to: { path: 'node_modules/undici/' },
    },

    // The entry points of the library, except the main entry point.
    ...ENTRY_POINTS.flatMap(anEntryPoint),
    {
      name: 'jws-is-for-entry-points-by-signature',
      comment: 'It needs jose: a service that verifies no signature installs nothing for it.',
      severity: 'error',
      from: { path: CORE, pathNot: [folders(...['jws', ...BY_SIGNATURE].map(entryPoint)), notSpec] },
      to: { path: folders(entryPoint('jws')) },
    },
    {
      name: 'jws-looks-through-ports',
      comment: 'It is below the entry points, and imports from the core what they import.',
      severity: 'error',
      from: { path: folders(entryPoint('jws')), pathNot: notSpec },
      to: { path: '^(libs|apps)/', pathNot: folders(...['jws', 'ports', ...OF_THE_CORE].map(entryPoint)) },
    },
    {
      name: 'core-imports-no-entry-point',
      comment: 'An entry point exports what the core has; the core imports its own folders.',
      severity: 'error',
      from: { path: CORE, pathNot: [`${CORE}entry-points/`, notSpec] },
      to: { path: folders(...OF_THE_CORE.map(entryPoint)) },
    },
    {
      name: 'ports-are-for-entry-points',
      comment: 'The core imports its own folders and no port.',
      severity: 'error',
      from: { path: CORE, pathNot: [`${CORE}entry-points/`, notSpec] },
      to: { path: folders(entryPoint('ports')) },
    },
    {
      name: 'testing-stands-on-protocol',
      comment: 'The testing kit makes tokens and finds leaks; it needs no folder that runs in a service.',
      severity: 'error',
      from: { path: folders('testing'), pathNot: [notSpec, folders('testing/in-memory')] },
      to: { path: '^libs/', pathNot: folders('testing', 'protocol') },
    },
    {
      name: 'in-memory-replaces-the-network',
      comment: 'What a service runs is to run in its tests: nothing of it is known but its words and its network.',
      severity: 'error',
      from: { path: folders('testing/in-memory'), pathNot: [notSpec, '[.]module[.]ts$'] },
      to: { path: CORE, pathNot: folders('testing', 'http', 'protocol') },
    },
    {
      name: 'testing-module-rewires-the-module',
      comment: 'It puts another network into the one module, and goes past it to none of its folders.',
      severity: 'error',
      from: { path: `${CORE}testing/in-memory/.*[.]module[.]ts$` },
      to: {
        path: CORE,
        pathNot: [
          folders('testing', 'http'),
          `${CORE}(module/keycloak[.]module(-definition)?|options/(keycloak|issuer)[.]options)[.]ts$`,
        ],
      },
    },
    {
      name: 'testing-only-in-specs',
      comment: 'A test token must not be made in a running service.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: [folders('testing'), '/spec-support/', notSpec] },
      to: { path: '^libs/keycloak/(src|dist)/testing/' },
    },

    // The folders of the embedded server, from the lowest to the highest.
    folderOfEmbedded(
      'http',
      [],
      'It reads requests, sends answers and makes faults; what they are about is nothing to it.',
    ),
    folderOfEmbedded('realm', [], 'It is the data of a realm file.'),
    folderOfEmbedded('state', ['realm'], 'It is what changes while the server runs: sessions, codes, keys, logs.'),
    folderOfEmbedded('streams', ['state', 'realm'], 'It puts shared signals into the outbox.'),
    folderOfEmbedded('events', ['streams', 'state', 'realm', 'http'], 'It records what endpoints and grants tell it.'),
    folderOfEmbedded(
      'grants',
      ['events', 'state', 'realm', 'http'],
      'It decides who gets which token; endpoints call it.',
    ),
    ...['tokens', 'browser'].map((folder) =>
      folderOfEmbedded(
        folder,
        ['grants', 'events', 'state', 'realm', 'http'],
        'No endpoint imports another folder of endpoints.',
      ),
    ),
    ...['ssf', 'admin'].map((folder) =>
      folderOfEmbedded(
        folder,
        ['grants', 'events', 'streams', 'state', 'realm', 'http'],
        'No endpoint imports another folder of endpoints.',
      ),
    ),

    // The folders of Service A, from the lowest to the highest.
    folderOfServiceA('pages', [], 'It renders, negotiates and serves assets; what a page is about is nothing to it.'),
    folderOfServiceA('orders', [], 'Orders are there whoever asks for them.'),
    folderOfServiceA('login', ['pages'], 'Who is logged in is nothing of what they do.'),
    folderOfServiceA(
      'receipts',
      ['login', 'orders'],
      "It passes documents on for a user; what they are is Service B's.",
    ),
    folderOfServiceA('chain', ['login', 'orders', 'pages'], 'What is done for a user; the attacks are beside it.'),
    folderOfServiceA('attacks', ['login', 'pages'], 'What is done for a user; the chain is beside it.'),
    folderOfServiceA('matrix', ['attacks', 'login', 'pages'], 'Its attacks are made with the same tools.'),
    folderOfServiceA('watch', ['attacks', 'login', 'pages'], 'It presents tokens with the same tools.'),
    folderOfServiceA('demo', ['attacks', 'matrix', 'pages', 'watch'], 'It wires what there is in demo mode only.'),
    folderOfServiceA(
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
    exclude: { path: '(^|/)dist/(?!index|testing/index|entry-points/[^/]+/index)' },
    includeOnly: '^(apps|libs|test|scripts|node_modules)/',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.depcruise.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'default'] },
  },
};
