/** Revocation sharing service: the channel of denials is read from the start of the application to its end. */
import type { OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import type { RevocationSharing } from './revocation/revocation-sharing.js';

/** A start takes no longer than this for a channel that can't be read: the replica is not ready then. */
const MAX_WAIT_MS = 3000;

export class RevocationSharingService implements OnApplicationBootstrap, OnApplicationShutdown {
  constructor(private readonly sharing: RevocationSharing) {}

  /** Before the application listens. */
  async onApplicationBootstrap(): Promise<void> {
    await this.sharing.start(MAX_WAIT_MS);
  }

  async onApplicationShutdown(): Promise<void> {
    await this.sharing.stop();
  }
}
