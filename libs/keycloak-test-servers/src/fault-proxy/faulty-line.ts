import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionFault, FaultSwitch } from './connection-fault.js';

export type Direction = 'request' | 'answer';
export type Break = 'reset' | 'cut' | 'half-close';

const RESET_DELAY_MS = 10;
const UNREFERENCED = { ref: false };

export class FaultyLine extends Transform {
  private counting: ConnectionFault | undefined;
  private passed = 0;
  private broken = false;
  private delayed: Promise<void> = Promise.resolve();

  constructor(
    private readonly direction: Direction,
    private readonly faults: FaultSwitch,
    private readonly onBreak: (how: Break) => void,
  ) {
    super();
  }

  override async _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): Promise<void> {
    await this.applyFault(chunk);
    done();
  }

  override async _flush(done: TransformCallback): Promise<void> {
    await this.delayed;
    await this.faults.passable();
    done();
  }

  private async applyFault(chunk: Buffer): Promise<void> {
    await this.faults.passable();
    const fault = this.faults.current;
    if (fault?.kind === 'latency' && this.direction === 'answer') {
      const due = sleep(fault.milliseconds + (fault.jitterMs ?? 0) * Math.random(), undefined, UNREFERENCED);
      this.delayed = this.delayed.then(() => due).then(() => this.pass(chunk));
      return;
    }
    await this.delayed;
    if (fault?.kind === 'reset' && fault.afterBytes === undefined) await this.break('reset');
    else if (this.direction === 'request') this.pass(chunk);
    else if (fault?.kind === 'slow-bytes') await this.drip(chunk, fault);
    else if (fault !== undefined && 'afterBytes' in fault) await this.passUntil(fault.afterBytes ?? 0, chunk, fault);
    else this.pass(chunk);
  }

  private pass(chunk: Buffer): void {
    if (!this.broken && !this.destroyed) this.push(chunk);
  }

  private async passUntil(limit: number, chunk: Buffer, fault: ConnectionFault & { kind: Break }): Promise<void> {
    if (this.counting !== fault) [this.counting, this.passed] = [fault, 0];
    this.pass(chunk.subarray(0, limit - this.passed));
    this.passed += chunk.length;
    if (this.passed >= limit) await this.break(fault.kind);
  }

  private async drip(chunk: Buffer, fault: ConnectionFault & { kind: 'slow-bytes' }): Promise<void> {
    for (let sent = 0; sent < chunk.length; sent += 1) {
      await sleep(fault.everyMs, undefined, UNREFERENCED);
      if (this.destroyed) return;
      if (this.faults.current !== fault) return this.applyFault(chunk.subarray(sent));
      this.pass(chunk.subarray(sent, sent + 1));
    }
  }

  private async break(how: Break): Promise<void> {
    if (this.broken) return;
    this.broken = true;
    this.faults.countBroken();
    // If the last bytes and the reset arrived together, the answer would seem complete.
    await sleep(RESET_DELAY_MS);
    this.onBreak(how);
  }
}
