/** A fault of connections through the proxy. */

export type ConnectionFault =
  /** New connections are refused; existing connections continue. */
  | { readonly kind: 'refuse' }
  /** New connections are accepted and never answered, even after the fault ends; existing connections continue. */
  | { readonly kind: 'hang' }
  /** All connections stall silently in both directions. The delayed bytes pass when the fault ends. */
  | { readonly kind: 'black-hole' }
  /**
   * TCP RST for new connections at once, for existing connections with the next byte, or after `afterBytes` of the
   * answer. The fault ends after `times` connections.
   */
  | { readonly kind: 'reset'; readonly afterBytes?: number; readonly times?: number }
  /** The connection is closed normally after `afterBytes` of the answer. */
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly times?: number }
  /** Like `cut`, but only the proxy's side is closed (FIN), and the client's data is discarded. */
  | { readonly kind: 'half-close'; readonly afterBytes: number; readonly times?: number }
  /** The answer is delayed by `milliseconds`, plus a random delay of up to `jitterMs` (default 0). */
  | { readonly kind: 'latency'; readonly milliseconds: number; readonly jitterMs?: number }
  /** The answer is sent one byte every `everyMs`. */
  | { readonly kind: 'slow-bytes'; readonly everyMs: number };

export class FaultSwitch {
  private fault: ConnectionFault | undefined;
  private brokenCount = 0;
  private waiting: (() => void)[] = [];

  get current(): ConnectionFault | undefined {
    return this.fault;
  }

  set(fault: ConnectionFault | undefined): void {
    this.fault = fault;
    this.brokenCount = 0;
    for (const resume of this.waiting.splice(0)) resume();
  }

  countBroken(): void {
    this.brokenCount += 1;
    const times = this.fault !== undefined && 'times' in this.fault ? this.fault.times : undefined;
    if (times !== undefined && this.brokenCount >= times) this.set(undefined);
  }

  async passable(): Promise<void> {
    while (this.fault?.kind === 'black-hole') await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}
