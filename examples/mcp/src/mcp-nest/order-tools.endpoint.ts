// #region endpoint
import { Controller } from '@nestjs/common';
import { McpHttpControllerFor, StreamableHttpTransport } from '@rekog/mcp-nest';
import { RequirePermission } from 'nestjs-keycloak-s2s';
import { McpEndpoint } from 'nestjs-keycloak-s2s-mcp';

// Without a mount, only the guarded controller serves the tools.
export const transport = new StreamableHttpTransport({ mount: false });

@Controller('mcp')
@McpEndpoint({ allowedOrigins: ['https://app.example.com'] })
@RequirePermission('tools.use')
export class OrderToolsEndpoint extends McpHttpControllerFor(transport) {}
// #endregion endpoint
