export { graphqlRequestAdapter } from './graphql-request.adapter.js';
