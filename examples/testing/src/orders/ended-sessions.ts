import { Injectable } from '@nestjs/common';
import { RevocationList } from 'nestjs-keycloak-s2s';

// #region service
@Injectable()
export class EndedSessions {
  constructor(private readonly revocations: RevocationList) {}

  sessionEnded({ sid }: { sid: string }): void {
    this.revocations.deny({ sid }); // deny() also accepts { sub, issuedBefore } in seconds, and denialOf(token)
  }
}
// #endregion service
