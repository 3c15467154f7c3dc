import { Controller, Get, Param, StreamableFile } from '@nestjs/common';
import { AllowClients, RequirePermission } from 'nestjs-keycloak-s2s';
import { ReceiptsService } from './receipts.service.js';

@Controller('api/receipts')
export class ReceiptsController {
  constructor(private readonly receipts: ReceiptsService) {}

  @Get(':id')
  @RequirePermission('receipts.read')
  @AllowClients('service-a')
  receipt(@Param('id') id: string): StreamableFile {
    const { document, fileName } = this.receipts.find(id);
    const disposition = `attachment; filename="${fileName}"`;
    return new StreamableFile(document, { type: 'text/plain; charset=utf-8', disposition, length: document.length });
  }
}
