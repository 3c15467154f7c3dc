export interface PrintedLine {
  readonly where: string;
  readonly text: string;
}

export class PrintedLines {
  #finished = 0;
  #unfinished = '';

  constructor(private readonly stream: string) {}

  add(chunk: string): PrintedLine[] {
    const lines = (this.#unfinished + chunk).split('\n');
    this.#unfinished = lines.pop() ?? '';
    return lines.map((text) => ({ where: this.#where((this.#finished += 1)), text }));
  }

  /** The line that is still being written; a token in the line is already visible. */
  get unfinished(): PrintedLine {
    return { where: this.#where(this.#finished + 1), text: this.#unfinished };
  }

  #where(line: number): string {
    return `${this.stream}, line ${line}`;
  }
}
