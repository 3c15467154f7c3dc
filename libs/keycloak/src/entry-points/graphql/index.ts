/**
 * Access decorators for Apollo and Mercurius.
 *
 * @packageDocumentation
 * @category Supported
 */
export { graphqlRequestAdapter } from './graphql-request.adapter.js';
