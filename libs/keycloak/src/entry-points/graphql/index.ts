/** The door nestjs-keycloak-s2s/graphql: resolvers of Apollo and Mercurius behind the guard. */
export { graphqlCarrier } from './graphql.carrier.js';
