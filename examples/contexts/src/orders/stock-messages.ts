import { headers } from '@nats-io/transport-node';
import { Injectable } from '@nestjs/common';
import { ClientProxyFactory, NatsRecordBuilder, Transport } from '@nestjs/microservices';
import { TokenExchangeClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';
import { lastValueFrom } from 'rxjs';

@Injectable()
export class StockMessages {
  private readonly proxy = ClientProxyFactory.create({
    transport: Transport.NATS,
    options: { servers: [process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222'] },
  });

  constructor(private readonly exchange: TokenExchangeClient) {}

  // #region send
  async reserve(caller: VerifiedAccessToken): Promise<void> {
    const target = { audience: 'stock', scope: 'stock.reserve' };
    const { authorization } = await this.exchange.messageHeaders(caller, target);
    const carried = headers();
    carried.set('authorization', authorization);
    await lastValueFrom(this.proxy.send('stock.reserve', new NatsRecordBuilder({}).setHeaders(carried).build()));
  }
  // #endregion send
}
