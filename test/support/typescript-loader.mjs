// Runs a TypeScript program in a process without Jest: node test/support/typescript-loader.mjs FILE.
import { register } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { isMainThread } from 'node:worker_threads';
import { transformFile } from '@swc/core';

const CONFIG = join(import.meta.dirname, '../../.swcrc');

export async function resolve(specifier, context, next) {
  const isSource = specifier.startsWith('.') && !/\/(node_modules|dist)\//.test(context.parentURL ?? '');
  return next(isSource ? specifier.replace(/\.js$/, '.ts') : specifier, context);
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context);
  const { code } = await transformFile(fileURLToPath(url), { configFile: CONFIG, swcrc: false });
  return { format: 'module', source: code, shortCircuit: true };
}

if (isMainThread) {
  register(import.meta.url);
  await import(pathToFileURL(process.argv[2]).href);
}
