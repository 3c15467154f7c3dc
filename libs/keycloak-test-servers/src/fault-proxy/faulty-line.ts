/** FaultyLine: one direction of a connection; what goes in comes out as the fault that is on has it. */
import { Transform, type TransformCallback } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionFault, FaultSwitch } from './connection-fault.js';

export type Direction = 'request' | 'answer';
export type Break = 'reset' | 'cut' | 'half-close';

const SEEN_APART_MS = 10;
/** What is late keeps no process alive: it may be very late. */
const UNREFERENCED = { ref: false };

export class FaultyLine extends Transform {
  private counting: ConnectionFault | undefined;
  private passed = 0;
  private over = false;
  /** What is late, in order. */
  private late: Promise<void> = Promise.resolve();

  constructor(
    private readonly direction: Direction,
    private readonly faults: FaultSwitch,
    /** Called when the connection is to be broken off. */
    private readonly onBreak: (how: Break) => void,
  ) {
    super();
  }

  override async _transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback): Promise<void> {
    await this.treat(chunk);
    done();
  }

  override async _flush(done: TransformCallback): Promise<void> {
    await this.late;
    await this.faults.passable();
    done();
  }

  private async treat(chunk: Buffer): Promise<void> {
    await this.faults.passable();
    const fault = this.faults.current;
    if (fault?.kind === 'latency' && this.direction === 'answer') {
      const due = sleep(fault.milliseconds + (fault.jitterMs ?? 0) * Math.random(), undefined, UNREFERENCED);
      this.late = this.late.then(() => due).then(() => this.pass(chunk));
      return;
    }
    await this.late;
    if (fault?.kind === 'reset' && fault.afterBytes === undefined) await this.breakOff('reset');
    else if (this.direction === 'request') this.pass(chunk);
    else if (fault?.kind === 'slow-bytes') await this.drip(chunk, fault);
    else if (fault !== undefined && 'afterBytes' in fault) await this.passUntil(fault.afterBytes ?? 0, chunk, fault);
    else this.pass(chunk);
  }

  private pass(chunk: Buffer): void {
    if (!this.over && !this.destroyed) this.push(chunk);
  }

  private async passUntil(limit: number, chunk: Buffer, fault: ConnectionFault & { kind: Break }): Promise<void> {
    if (this.counting !== fault) [this.counting, this.passed] = [fault, 0];
    this.pass(chunk.subarray(0, limit - this.passed));
    this.passed += chunk.length;
    if (this.passed >= limit) await this.breakOff(fault.kind);
  }

  private async drip(chunk: Buffer, fault: ConnectionFault & { kind: 'slow-bytes' }): Promise<void> {
    for (let sent = 0; sent < chunk.length; sent += 1) {
      await sleep(fault.everyMs, undefined, UNREFERENCED);
      if (this.destroyed) return;
      if (this.faults.current !== fault) return this.treat(chunk.subarray(sent));
      this.pass(chunk.subarray(sent, sent + 1));
    }
  }

  private async breakOff(how: Break): Promise<void> {
    if (this.over) return;
    this.over = true;
    this.faults.strike();
    // A client that finds the last bytes and a reset together takes them for the end of the answer.
    await sleep(SEEN_APART_MS);
    this.onBreak(how);
  }
}
