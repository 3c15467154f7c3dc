export type { StreamableHttpTransport as McpTransport } from '@rekog/mcp-nest';

await import('@nestjs/core');
await import('@nestjs/microservices');

/** mcp-nest is a CommonJS package: Jest lets it require the ES modules of Nest only after their evaluation. */
export const {
  McpContext,
  McpController,
  McpHttpControllerFor,
  McpStrategy,
  Prompt,
  Resource,
  ResourceTemplate,
  StreamableHttpTransport,
  Tool,
} = await import('@rekog/mcp-nest');
