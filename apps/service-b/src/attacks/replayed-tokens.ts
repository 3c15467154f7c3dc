import type { IssuedToken } from 'nestjs-keycloak-s2s';
import { attempt, type AttackTarget, type Attempt } from 'demo';

export interface Replay {
  readonly name: string;
  readonly target: AttackTarget;
}

export function replay(exchanged: IssuedToken, { name, target }: Replay, serviceC: AttackTarget): Promise<Attempt> {
  const token = exchanged.reveal();
  return attempt({
    attack: [`Service B's exchanged token for Service C, to ${name}`, target.whoami(token)],
    control: ['The same token, to Service C', serviceC.whoami(token)],
    token,
  });
}
