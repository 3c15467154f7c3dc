/** Which room may import which. Each rule has one line that says why; `npm run lint` holds them. */
const rooms = (names) => `^libs/keycloak/src/(${names.join('|')})/`;
const notSpec = '[.]spec[.]ts$';
const builtin = ['core'];

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
    {
      name: 'protocol-imports-nothing',
      comment: 'The words are pure: no Nest, no network, no clock.',
      severity: 'error',
      from: { path: rooms(['protocol']), pathNot: notSpec },
      to: { pathNot: rooms(['protocol']), dependencyTypesNot: builtin },
    },
    {
      name: 'caching-knows-no-token',
      comment: 'Caching is about keys, values and deadlines; only its LRU comes from outside.',
      severity: 'error',
      from: { path: rooms(['caching']), pathNot: notSpec },
      to: { pathNot: [rooms(['caching']), 'node_modules/lru-cache/'], dependencyTypesNot: builtin },
    },
    {
      name: 'authorization-server-looks-down',
      comment: 'It serves the rooms above it and knows none of them.',
      severity: 'error',
      from: { path: rooms(['authorization-server']), pathNot: notSpec },
      to: {
        path: '^libs/keycloak/src/',
        pathNot: rooms(['authorization-server', 'resilience', 'diagnostics', 'http', 'caching', 'protocol']),
      },
    },
    {
      name: 'revocation-looks-down',
      comment: 'Both rooms that judge ask it; it knows neither of them, and nothing of the server.',
      severity: 'error',
      from: { path: rooms(['revocation']), pathNot: notSpec },
      to: { pathNot: rooms(['revocation', 'caching', 'protocol']), dependencyTypesNot: builtin },
    },
    {
      name: 'diagnostics-looks-down',
      comment: 'Three rooms tell what they did; who tells is nothing to it, and who listens is outside.',
      severity: 'error',
      from: { path: rooms(['diagnostics']), pathNot: notSpec },
      to: { pathNot: rooms(['diagnostics', 'caching', 'protocol']), dependencyTypesNot: builtin },
    },
    {
      name: 'resilience-looks-down',
      comment: 'Two rooms call others under its policies; who is called, and how, is nothing to it.',
      severity: 'error',
      from: { path: rooms(['resilience']), pathNot: notSpec },
      to: {
        pathNot: [rooms(['resilience', 'caching', 'protocol']), 'node_modules/cockatiel/'],
        dependencyTypesNot: builtin,
      },
    },
    {
      name: 'http-knows-no-token',
      comment:
        'One exchange over kept-alive connections; what it carries is nothing to it. Of the words it has those for failures.',
      severity: 'error',
      from: { path: rooms(['http']), pathNot: notSpec },
      to: {
        pathNot: [rooms(['http']), '^libs/keycloak/src/protocol/connection-failures[.]ts$', 'node_modules/undici/'],
        dependencyTypesNot: builtin,
      },
    },
    {
      name: 'resource-server-and-client-do-not-meet',
      comment: 'They meet in the type VerifiedAccessToken, and nowhere else.',
      severity: 'error',
      from: { path: rooms(['resource-server']), pathNot: notSpec },
      to: {
        path: '^libs/keycloak/src/',
        pathNot: rooms(['resource-server', 'authorization-server', 'revocation', 'diagnostics', 'caching', 'protocol']),
      },
    },
    {
      name: 'client-and-resource-server-do-not-meet',
      comment: 'They meet in the type VerifiedAccessToken, and nowhere else.',
      severity: 'error',
      from: { path: rooms(['client']), pathNot: notSpec },
      to: {
        path: '^libs/keycloak/src/',
        pathNot: rooms([
          'client',
          'authorization-server',
          'revocation',
          'resilience',
          'diagnostics',
          'http',
          'caching',
          'protocol',
        ]),
      },
    },
    {
      name: 'oauth-library-in-one-room',
      comment: 'Only the room that talks to the authorization server speaks the protocol.',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: rooms(['authorization-server']) },
      to: { path: 'node_modules/oauth4webapi/' },
    },
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
    {
      name: 'undici-where-it-sends',
      comment:
        'What an HTTP client throws may carry the request with its token: none may come further than the files that send.',
      severity: 'error',
      from: {
        path: '^(libs|apps)/',
        pathNot: [notSpec, '^libs/keycloak/src/testing/', rooms(['http'])],
      },
      to: { path: 'node_modules/undici/' },
    },
    {
      name: 'nest-only-where-the-name-says-so',
      comment: 'A kind suffix (.guard, .module …) if and only if the file touches Nest.',
      severity: 'error',
      from: {
        path: '^libs/keycloak/src/',
        pathNot: [notSpec, '[.](guard|filter|decorator|decorators|discovery|module|module-definition)[.]ts$'],
      },
      to: { path: 'node_modules/@nestjs/' },
    },
    {
      name: 'testing-stands-on-protocol',
      comment: 'The second door makes tokens and servers; it needs no room that runs in a service.',
      severity: 'error',
      from: { path: '^libs/keycloak/src/testing/', pathNot: [notSpec, '^libs/keycloak/src/testing/without-server/'] },
      to: {
        path: '^libs/keycloak/src/',
        pathNot: [rooms(['testing', 'protocol']), '^libs/keycloak/src/production[.]ts$'],
      },
    },
    {
      name: 'without-server-replaces-the-network',
      comment: 'What a service runs is to run in its tests: nothing of it is known but its words and its network.',
      severity: 'error',
      from: { path: '^libs/keycloak/src/testing/without-server/', pathNot: [notSpec, '[.]module[.]ts$'] },
      to: { path: '^libs/keycloak/src/', pathNot: rooms(['testing', 'http', 'protocol']) },
    },
    {
      name: 'testing-module-rewires-the-module',
      comment: 'It puts another network into the one module, and goes past it to none of its rooms.',
      severity: 'error',
      from: { path: '^libs/keycloak/src/testing/without-server/.*[.]module[.]ts$' },
      to: {
        path: '^libs/keycloak/src/',
        pathNot: [rooms(['testing', 'http']), '^libs/keycloak/src/keycloak[.](module|module-definition|options)[.]ts$'],
      },
    },
    {
      name: 'testing-only-in-specs-and-scripts',
      comment: 'A test token must not be made in a running service.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: ['^libs/keycloak/src/testing/', notSpec] },
      to: { path: '^libs/keycloak/(src|dist)/testing/' },
    },
    {
      name: 'libraries-through-the-door',
      comment: 'Apps and service-defaults use what the door exports.',
      severity: 'error',
      from: { path: '^(apps|libs/service-defaults)/' },
      to: {
        path: '^libs/keycloak/',
        pathNot: [
          '^libs/keycloak/(src|dist)/index[.](ts|js|d[.]ts)$',
          '^libs/keycloak/(src|dist)/testing/index[.](ts|js|d[.]ts)$',
        ],
      },
    },
    {
      name: 'service-defaults-through-the-door',
      comment: 'Apps use what the door of service-defaults exports.',
      severity: 'error',
      from: { path: '^apps/' },
      to: { path: '^libs/service-defaults/', pathNot: '^libs/service-defaults/(src|dist)/index[.](ts|js|d[.]ts)$' },
    },
    {
      name: 'apps-do-not-import-apps',
      comment: 'Services meet on the wire.',
      severity: 'error',
      from: { path: '^apps/([^/]+)/' },
      to: { path: '^apps/', pathNot: '^apps/$1/' },
    },
    {
      name: 'libraries-do-not-import-apps',
      comment: 'Arrows point downward only.',
      severity: 'error',
      from: { path: '^libs/' },
      to: { path: '^apps/' },
    },
    {
      name: 'no-undeclared-package',
      comment: 'What is imported is in the package.json of the workspace that imports it.',
      severity: 'error',
      from: { path: '^(apps|libs)/', pathNot: notSpec },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['npm-peer'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/(?!index|testing/index)' },
    includeOnly: '^(apps|libs|test|scripts|node_modules)/',
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.depcruise.json' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['types', 'import', 'default'] },
  },
};
