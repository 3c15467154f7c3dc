/** The ways in which a connection can be made to fail, and which of them is on. */

export type ConnectionFault =
  /** Nobody listens: connecting is refused. Connections that are there already go on. */
  | { readonly kind: 'refuse' }
  /** New connections are accepted, and never answered, later neither. Those that are there already go on. */
  | { readonly kind: 'hang' }
  /** Nothing passes, either way, on any connection, and nobody is told. What was held back passes when the fault is over. */
  | { readonly kind: 'black-hole' }
  /**
   * TCP RST: of a new connection at once and of others with the next byte; or with `afterBytes` of any connection once so
   * much of the answer has passed. `times`: so many connections, then the proxy heals by itself.
   */
  | { readonly kind: 'reset'; readonly afterBytes?: number; readonly times?: number }
  /** The connection is closed in good order once `afterBytes` of the answer have passed. `times` as for `reset`. */
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly times?: number }
  /** As `cut`, but only our side ends (FIN): what the client sends is still taken, and comes to nothing. */
  | { readonly kind: 'half-close'; readonly afterBytes: number; readonly times?: number }
  /** Whatever the target sends comes `milliseconds` late, and as much as `jitterMs` (default 0) later than that. */
  | { readonly kind: 'latency'; readonly milliseconds: number; readonly jitterMs?: number }
  /** The answer comes one byte every `everyMs`. */
  | { readonly kind: 'slow-bytes'; readonly everyMs: number };

export class FaultSwitch {
  private fault: ConnectionFault | undefined;
  private struck = 0;
  private waiting: (() => void)[] = [];

  get current(): ConnectionFault | undefined {
    return this.fault;
  }

  set(fault: ConnectionFault | undefined): void {
    this.fault = fault;
    this.struck = 0;
    for (const goOn of this.waiting.splice(0)) goOn();
  }

  /** One more connection was broken off. */
  strike(): void {
    this.struck += 1;
    const times = this.fault !== undefined && 'times' in this.fault ? this.fault.times : undefined;
    if (times !== undefined && this.struck >= times) this.set(undefined);
  }

  /** Resolves when what goes in may come out. */
  async passable(): Promise<void> {
    while (this.fault?.kind === 'black-hole') await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
