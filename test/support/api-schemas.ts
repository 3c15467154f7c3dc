/** Finds objects that the Kubernetes API server would reject, with the schemas of kubernetes-models. */
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { KubernetesObject } from './manifests.js';

const require = createRequire(import.meta.url);

const moduleOf = ({ apiVersion, kind }: KubernetesObject): string => `kubernetes-models/${apiVersion}/${kind}`;

export const schemaFaults = (objects: readonly KubernetesObject[]): string[] => [
  ...objects.flatMap(wrongValues),
  ...unknownFields(objects),
];

/** Finds only wrong values, because the schemas accept unknown fields. */
function wrongValues(object: KubernetesObject): string[] {
  const models = require(moduleOf(object)) as Readonly<Record<string, new (data: object) => { validate(): void }>>;
  const Model = models[object.kind];
  if (Model === undefined) return [`${nameOf(object)}: there is no such kind`];
  try {
    new Model(object).validate();
    return [];
  } catch (error) {
    return [`${nameOf(object)}: ${error instanceof Error ? error.message : String(error)}`];
  }
}

const FILE = fileURLToPath(new URL('objects.ts', import.meta.url));

function unknownFields(objects: readonly KubernetesObject[]): string[] {
  const lines = objects.map((object, at) => {
    const type = `import('${moduleOf(object)}').I${object.kind}`;
    return `export const object${at}: ${type} = ${JSON.stringify(object)};`;
  });
  const options: ts.CompilerOptions = {
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  const source = ts.createSourceFile(FILE, lines.join('\n'), ts.ScriptTarget.Latest, true);
  host.getSourceFile = (name, ...others) => (name === FILE ? source : getSourceFile.call(host, name, ...others));
  host.fileExists = (name) => name === FILE || fileExists.call(host, name);
  return ts.getPreEmitDiagnostics(ts.createProgram([FILE], options, host)).map(({ file, start, messageText }) => {
    const text = ts.flattenDiagnosticMessageText(messageText, ' ');
    const object = file === source ? objects[source.getLineAndCharacterOfPosition(start ?? 0).line] : undefined;
    return object === undefined ? text : `${nameOf(object)}: ${text}`;
  });
}

const nameOf = ({ kind, metadata }: KubernetesObject): string => `${kind} ${metadata.name}`;
