// Every command imports this file first. With --help, this file prints the command's first comment and exits with 0.
import { readFileSync } from 'node:fs';

const [, file = '', ...args] = process.argv;

if (args.includes('--help') || args.includes('-h')) {
  const lines = readFileSync(file, 'utf8').split('\n');
  const end = lines.findIndex((line) => !line.startsWith('// '));
  console.log(
    lines
      .slice(0, end)
      .map((line) => line.slice('// '.length))
      .join('\n'),
  );
  process.exit(0);
}
