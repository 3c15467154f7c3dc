import type { Syntax } from './syntax.js';

interface Range {
  readonly start: number;
  readonly end: number;
}

interface Edit extends Range {
  readonly text: string;
}

export class TextEdits {
  readonly #edits: Edit[] = [];
  readonly lineBreak: string;
  readonly quote: string;
  readonly width: number;

  constructor(readonly text: string) {
    this.lineBreak = text.includes('\r\n') ? '\r\n' : '\n';
    this.quote = /^import [^\n]*"/m.test(text) ? '"' : "'";
    this.width = Math.min(120, Math.max(80, ...text.split('\n').map((line) => line.trimEnd().length)));
  }

  replace(start: number, end: number, text: string): void {
    this.#edits.push({ start, end, text });
  }

  insert(position: number, text: string): void {
    this.replace(position, position, text);
  }

  insertLine(position: number, text: string, place: 'before' | 'after'): void {
    const line = this.indentAt(position) + text + this.lineBreak;
    if (place === 'before') this.insert(this.lineStart(position), line);
    else this.insert(this.lineEnd(position), line);
  }

  /** Copies the comments in a range to the line above, because an edit of the range drops these comments. */
  keepComments({ start, end }: Range): void {
    const found = this.text.slice(start, end).matchAll(/(['"`])(?:\\.|(?!\1)[^\\])*\1|\/\/[^\r\n]*|\/\*[^]*?\*\//g);
    for (const [text] of found) if (text.startsWith('/')) this.insertLine(start, text.trimEnd(), 'before');
  }

  remove(start: number, end: number): void {
    const from = this.lineStart(start);
    const to = this.lineEnd(end);
    const isAlone = this.text.slice(from, start).trim() === '' && this.text.slice(end, to).trim() === '';
    if (isAlone) return this.replace(from, to, '');
    const spaces = /^[ \t]*/.exec(this.text.slice(end))?.[0].length ?? 0;
    this.replace(start, end + spaces, '');
  }

  removeMembers(list: Range, members: readonly Syntax[], gone: Set<Syntax>): void {
    const kept = members.filter((member) => !gone.has(member));
    const [open = '', close = ''] = [this.text[list.start], this.text[list.end - 1]];
    const pad = open === '{' && kept.length > 0 ? ' ' : '';
    const line = open + pad + kept.map(({ text }) => text).join(', ') + pad + close;
    const around = this.lineStart(list.start);
    const isShort = !line.includes('\n') && list.start - around + line.length + 2 <= this.width;
    if (isShort && !/\/[/*]/.test(this.text.slice(list.start, list.end)))
      return this.replace(list.start, list.end, line);
    for (const member of gone) {
      this.keepComments(member);
      const comma = /^\s*,/.exec(this.text.slice(member.end, list.end))?.[0].length ?? 0;
      this.remove(member.start, member.end + comma);
    }
  }

  lineStart(position: number): number {
    return this.text.lastIndexOf('\n', position - 1) + 1;
  }

  lineEnd(position: number): number {
    const end = this.text.indexOf('\n', position);
    return end === -1 ? this.text.length : end + 1;
  }

  indentAt(position: number): string {
    return /^[ \t]*/.exec(this.text.slice(this.lineStart(position)))?.[0] ?? '';
  }

  get isEmpty(): boolean {
    return this.#edits.length === 0;
  }

  /** An edit inside of a removed or replaced range is dropped. */
  apply(): string {
    const sorted = this.#edits
      .map((edit, order) => ({ ...edit, order }))
      .toSorted((one, other) => one.start - other.start || one.end - other.end || one.order - other.order);
    let [result, at] = ['', 0];
    for (const { start, end, text } of sorted.filter((edit) => !isInside(edit, sorted))) {
      result += this.text.slice(at, start) + text;
      at = end;
    }
    return result + this.text.slice(at);
  }
}

const isInside = (edit: Edit, all: readonly Edit[]): boolean =>
  all.some(({ start, end }) => {
    if (edit.start === edit.end) return start < edit.start && edit.start < end;
    return start <= edit.start && edit.end <= end && end - start > edit.end - edit.start;
  });
