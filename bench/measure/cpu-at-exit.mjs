// Prints the CPU time of the process that loads this file with `node --import`, in milliseconds.
import { writeSync } from 'node:fs';

process.on('exit', () => {
  const { user, system } = process.cpuUsage();
  writeSync(1, `\nCPU ${(user + system) / 1000} ms\n`);
});
