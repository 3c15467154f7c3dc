import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

export interface Stock {
  readonly left: number;
}

@Injectable()
export class StockClient {
  constructor(@InjectServiceClient('inventory') private readonly inventory: ServiceClient) {}

  read(caller: VerifiedAccessToken, article: string): Promise<Stock> {
    return this.inventory.onBehalfOf(caller, 'stock.read').get(`/stock/${encodeURIComponent(article)}`);
  }
}
