export type ConnectionFault =
  /** The proxy refuses new connections, and existing connections continue. */
  | { readonly kind: 'refuse' }
  /** The proxy accepts new connections but never answers, even after the fault ends. Existing connections continue. */
  | { readonly kind: 'hang' }
  /**
   * All connections stall silently in both directions until the fault ends. After the fault, the proxy forwards the
   * delayed bytes.
   */
  | { readonly kind: 'black-hole' }
  /**
   * Resets (TCP RST) a new connection immediately, and an existing connection at the next byte. With `afterBytes`, the
   * reset occurs after this number of bytes of the answer. The fault ends after `times` connections.
   */
  | { readonly kind: 'reset'; readonly afterBytes?: number; readonly times?: number }
  /** The proxy closes the connection normally after `afterBytes` of the answer. */
  | { readonly kind: 'cut'; readonly afterBytes: number; readonly times?: number }
  /** After `afterBytes`, closes only the proxy's side (FIN), and discards the client's data. */
  | { readonly kind: 'half-close'; readonly afterBytes: number; readonly times?: number }
  /** Delays the answer by `milliseconds` plus a random time of at most `jitterMs` (default 0). */
  | { readonly kind: 'latency'; readonly milliseconds: number; readonly jitterMs?: number }
  /** The proxy sends one byte of the answer every `everyMs`. */
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
