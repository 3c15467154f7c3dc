import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { SharedLevel } from '../caching/shared-level.js';
import type { RevocationSharing } from '../revocation/revocation-sharing.js';

/**
 * The maximum wait for the revocation channel at the start. A replica that can't read the channel starts, but is not
 * ready.
 */
const MAX_WAIT_MS = 3000;

export class SharedStateService implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(
    private readonly sharing: readonly RevocationSharing[],
    private readonly shared: readonly SharedLevel[],
  ) {}

  async onApplicationBootstrap(): Promise<void> {
    await Promise.all([
      ...this.sharing.map((each) => each.start(MAX_WAIT_MS)),
      ...this.shared.map((each) => each.open()),
    ]);
  }

  async onApplicationShutdown(): Promise<void> {
    await Promise.all([...this.sharing.map((each) => each.stop()), ...this.shared.map((each) => each.close())]);
  }
}
