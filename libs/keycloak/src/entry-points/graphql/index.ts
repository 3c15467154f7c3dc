/** The door nestjs-keycloak-s2s/graphql: resolvers of Apollo and Mercurius behind the guard. */
export { graphqlRequestAdapter } from './graphql-request.adapter.js';
