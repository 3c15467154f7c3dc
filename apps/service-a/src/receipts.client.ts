import type { Readable } from 'node:stream';
import { Injectable } from '@nestjs/common';
import type { VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { InjectServiceHttp, ServiceHttp } from 'nestjs-keycloak-s2s/axios';
import { firstValueFrom } from 'rxjs';

export interface ReceiptDocument {
  readonly document: Readable;
  readonly type?: string;
  readonly disposition?: string;
  readonly length?: number;
}

// #region client
@Injectable()
export class ReceiptsClient {
  constructor(@InjectServiceHttp('service-b') private readonly serviceB: ServiceHttp) {}

  /** The document is a stream from Service B. Destroy the stream to end the call. */
  async receiptFor(caller: VerifiedAccessToken, orderId: number): Promise<ReceiptDocument> {
    const { data, headers } = await firstValueFrom(
      this.serviceB
        .onBehalfOf(caller, 'receipts.read')
        .get<Readable>(`/api/receipts/${orderId}`, { responseType: 'stream' }),
    );
    const { 'content-type': type, 'content-disposition': disposition, 'content-length': length } = headers;
    return {
      document: data,
      ...(typeof type === 'string' ? { type } : {}),
      ...(typeof disposition === 'string' ? { disposition } : {}),
      ...(typeof length === 'string' ? { length: Number(length) } : {}),
    };
  }
}
// #endregion client
