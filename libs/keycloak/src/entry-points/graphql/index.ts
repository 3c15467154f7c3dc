/** The entry point nestjs-keycloak-s2s/graphql: protects Apollo and Mercurius resolvers with the guard. */
export { graphqlRequestAdapter } from './graphql-request.adapter.js';
