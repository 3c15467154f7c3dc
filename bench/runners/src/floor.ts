export * as oauth4webapi from 'oauth4webapi';
export * as undici from 'undici';
export { Application } from './bare.js';
