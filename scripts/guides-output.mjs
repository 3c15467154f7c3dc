// What a command printed, held against what its guide says that it prints.
import { stripVTControlCharacters } from 'node:util';

/**
 * Whether `printed` has the lines of `expected` one after the other, somewhere. In them `…` stands for anything in the line,
 * and in a line of its own for any lines. Empty lines, spaces at either end and colours do not count.
 */
export function prints(expected, printed) {
  return pattern(expected).test(
    lines(printed)
      .map((line) => `${line}\n`)
      .join(''),
  );
}

function pattern(expected) {
  const parts = lines(expected).map((line) => (line === '…' ? String.raw`(?:.*\n)*?` : `${escaped(line)}\n`));
  return new RegExp(String.raw`^${parts.join('')}`, 'm');
}

function lines(text) {
  return stripVTControlCharacters(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function escaped(line) {
  return line
    .split('…')
    .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/g, String.raw`\$&`))
    .join('.*');
}
