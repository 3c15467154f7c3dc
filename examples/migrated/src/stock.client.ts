import { Injectable } from '@nestjs/common';
import { InjectServiceClient, ServiceClient, VerifiedAccessToken } from 'nestjs-keycloak-s2s';

// #region client
@Injectable()
export class StockClient {
  constructor(@InjectServiceClient('inventory') private readonly inventory: ServiceClient) {}

  read(user: VerifiedAccessToken): Promise<{ left: number }> {
    return this.inventory.onBehalfOf(user).get('/stock');
  }
}
// #endregion client
