import { startTools } from './start-tools.js';

function required(name: string): string {
  const value = process.env[name];
  if (!value) throw new Error(`${name} must be set`);
  return value;
}

const kind = process.env['SERVER'] === 'sdk' ? 'sdk' : 'mcp-nest';
const app = await startTools(kind, {
  issuer: required('ISSUER'),
  clientSecret: required('ORDER_TOOLS_CLIENT_SECRET'),
  resource: required('RESOURCE_URL'),
  serviceBUrl: required('SERVICE_B_URL'),
  allowInsecureRequests: process.env['NODE_ENV'] === 'development',
});
app.enableShutdownHooks();
console.log(`order-tools (${kind}) at ${process.env['RESOURCE_URL']}`);
