import { insertAfter, insertAfterLast, replace } from './text-edits.mjs';

/** @typedef {import('./names.mjs').Names} Names */

const FOLDER = 'deploy/kubernetes';

/**
 * @param {Names} names
 * @returns {Record<string, (text: string) => string>}
 */
export function kubernetesEdits(names) {
  const { name, caller } = names;
  return {
    [`${FOLDER}/base/kustomization.yaml`]: (text) => addToResources(text, name),
    [`${FOLDER}/base/${caller}.yaml`]: (text) => addUrl(text, names),
    [`${FOLDER}/base/network-policies/${caller}.yaml`]: (text) => addEgress(text, names),
    [`${FOLDER}/overlays/small/kustomization.yaml`]: (text) => addSecrets(addImage(text, name), name),
    [`${FOLDER}/overlays/production/kustomization.yaml`]: (text) => addPinnedImage(text, name),
    [`${FOLDER}/overlays/production/autoscaling.yaml`]: (text) => addLikeTheFirst(text, names),
    [`${FOLDER}/components/client-assertions/services.yaml`]: (text) => addLikeTheFirst(text, names),
    'deploy/observability/kubernetes.yml': (text) => addScrape(text, name),
  };
}

/**
 * @param {string} text
 * @param {string} name
 */
function addScrape(text, name) {
  const [, first = ''] = /^( {2}- job_name: service-a\n(?: {4}.*\n)+)/m.exec(text) ?? [];
  return replace(text, /^ {2}- job_name: signal-poller$/m, (found) => first.replaceAll('service-a', name) + found);
}

/**
 * @param {string} text
 * @param {string} name
 */
function addToResources(text, name) {
  const service = insertAfterLast(text, /^ {2}- service-\w+\.yaml\n/gm, `  - ${name}.yaml\n`);
  return insertAfterLast(
    service,
    /^ {2}- network-policies\/service-\w+\.yaml\n/gm,
    `  - network-policies/${name}.yaml\n`,
  );
}

/**
 * @param {string} text
 * @param {Names} names
 */
const addUrl = (text, { name, prefix }) =>
  insertAfter(text, /^ {10}env:\n/m, `            - name: ${prefix}_URL\n              value: https://${name}\n`);

/**
 * @param {string} text
 * @param {Names} names
 */
function addEgress(text, { name, permission }) {
  const peer = `        # ${permission}
        - podSelector:
            matchLabels:
              app.kubernetes.io/name: ${name}
`;
  const ports = '      ports:\n        - { protocol: TCP, port: 8443 }\n';
  if (/^ {2}egress:\n/m.test(text)) return replace(text, /(?= {6}ports:\n {8}.*\n$)/, () => peer);
  const both = replace(text, /^ {2}policyTypes: \[Ingress\]\n/m, () => '  policyTypes: [Ingress, Egress]\n');
  return `${both}  egress:\n    - to:\n${peer}${ports}`;
}

/**
 * Copies the registry and the tag from an existing image, since the operator may have changed both.
 *
 * @param {string} text
 * @param {string} name
 */
function addImage(text, name) {
  const [like = ''] = /^ {2}- \{ name: service-a, .*\n/m.exec(text) ?? [];
  return insertAfterLast(text, /^ {2}- \{ name: service-\w+, .*\n/gm, like.replaceAll('service-a', name));
}

/**
 * The digest is a placeholder that `pin-images.sh` replaces.
 *
 * @param {string} text
 * @param {string} name
 */
function addPinnedImage(text, name) {
  const image = /^ {2}- name: service-\w+\n {4}newName: .*\n {4}digest: .*\n/gm;
  const [like = ''] = image.exec(text) ?? [];
  const added = like.replaceAll('service-a', name).replace(/sha256:\w+/, `sha256:${'0'.repeat(64)}`);
  return insertAfterLast(text, image, added);
}

/**
 * @param {string} text
 * @param {string} name
 */
function addSecrets(text, name) {
  const keys = ['client-secret', 'shared-state-keys', 'shared-state-url'].map((key) => `${key}=secrets/${name}.${key}`);
  const own = `  - name: ${name}\n    files: [${keys.join(', ')}]\n`;
  const tls = `  - name: ${name}-tls\n    type: kubernetes.io/tls\n    files: [tls.crt=secrets/${name}.crt, tls.key=secrets/${name}.key]\n`;
  const withOwn = insertAfter(text, /^secretGenerator:\n/m, own);
  return insertAfter(withOwn, /^secretGenerator:\n/m, tls);
}

/**
 * @param {string} text
 * @param {Names} names
 */
function addLikeTheFirst(text, { name, prefix }) {
  const like = text.slice(text.indexOf('apiVersion:')).split('---\n')[0] ?? '';
  return `${text}---\n${like.replaceAll('service-a', name).replaceAll('SERVICE_A', prefix)}`;
}
