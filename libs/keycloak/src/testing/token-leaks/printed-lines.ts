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

  /** The last line, which has no line break yet but may already show a token. */
  get unfinished(): PrintedLine {
    return { where: this.#where(this.#finished + 1), text: this.#unfinished };
  }

  #where(line: number): string {
    return `${this.stream}, line ${line}`;
  }
}
