/** PrintedLines: what a stream printed in chunks, put together to lines that have a number. */

export interface PrintedLine {
  readonly where: string;
  readonly text: string;
}

export class PrintedLines {
  #finished = 0;
  #unfinished = '';

  constructor(private readonly stream: string) {}

  /** Gives the lines that are at their end with this chunk. */
  add(chunk: string): PrintedLine[] {
    const lines = (this.#unfinished + chunk).split('\n');
    this.#unfinished = lines.pop() ?? '';
    return lines.map((text) => ({ where: this.#where((this.#finished += 1)), text }));
  }

  /** What more may be added to; a token in it shows all the same. */
  get unfinished(): PrintedLine {
    return { where: this.#where(this.#finished + 1), text: this.#unfinished };
  }

  #where(line: number): string {
    return `${this.stream}, line ${line}`;
  }
}
