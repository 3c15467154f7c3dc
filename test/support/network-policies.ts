import { BlockList } from 'node:net';
import type { INetworkPolicy, INetworkPolicyPeer, INetworkPolicyPort } from 'kubernetes-models/networking.k8s.io/v1';
import type { KubernetesObject } from './manifests.js';

type Labels = Readonly<Record<string, string>>;
type Selector = INetworkPolicyPeer['podSelector'];
type Policy = INetworkPolicy & KubernetesObject;

export interface Party {
  readonly name: string;
  readonly namespace?: string;
  readonly labels?: Labels;
  readonly address?: string;
}

export interface Port {
  readonly protocol: 'TCP' | 'UDP';
  readonly port: number;
}

/** A pod that no policy selects is unrestricted. */
export const isAllowed = (policies: readonly Policy[], from: Party, to: Party, port: Port): boolean =>
  allows(policies, 'Egress', from, to, port) && allows(policies, 'Ingress', to, from, port);

function allows(policies: readonly Policy[], side: 'Ingress' | 'Egress', who: Party, peer: Party, port: Port): boolean {
  const concerned = policies.filter(
    ({ metadata, spec }) =>
      metadata.namespace === who.namespace &&
      matches(spec?.podSelector, who.labels) &&
      // Without policyTypes, a policy applies to ingress, and also to egress if the policy has egress rules.
      (spec?.policyTypes ?? (spec?.egress ? ['Ingress', 'Egress'] : ['Ingress'])).includes(side),
  );
  if (concerned.length === 0) return true;
  return concerned.some(({ metadata, spec }) =>
    rulesOf(spec, side).some(
      ({ peers, ports }) =>
        (peers === undefined || peers.some((one) => isPeer(one, peer, metadata.namespace))) &&
        (ports === undefined || ports.some((one) => isPort(one, port))),
    ),
  );
}

interface Rule {
  readonly peers: readonly INetworkPolicyPeer[] | undefined;
  readonly ports: readonly INetworkPolicyPort[] | undefined;
}

function rulesOf(spec: INetworkPolicy['spec'], side: 'Ingress' | 'Egress'): Rule[] {
  if (side === 'Ingress') return (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
  return (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
}

function isPeer(
  { ipBlock, namespaceSelector, podSelector }: INetworkPolicyPeer,
  party: Party,
  own: string | undefined,
): boolean {
  if (ipBlock !== undefined) {
    const [network = '', prefix] = ipBlock.cidr.split('/');
    if (ipBlock.except !== undefined || network.includes(':'))
      throw new Error('This function supports neither except nor IPv6');
    const block = new BlockList();
    block.addSubnet(network, Number(prefix), 'ipv4');
    return party.address !== undefined && block.check(party.address);
  }
  if (party.namespace === undefined) return false;
  const isIn =
    namespaceSelector === undefined
      ? party.namespace === own
      : matches(namespaceSelector, { 'kubernetes.io/metadata.name': party.namespace });
  return isIn && matches(podSelector, party.labels);
}

function isPort({ protocol = 'TCP', port, endPort }: INetworkPolicyPort, asked: Port): boolean {
  if (endPort !== undefined || typeof port === 'string')
    throw new Error('This function supports neither endPort nor a named port');
  return protocol === asked.protocol && (port === undefined || port === asked.port);
}

function matches(selector: Selector, labels: Labels = {}): boolean {
  if (selector?.matchExpressions !== undefined) throw new Error('This function does not support matchExpressions');
  return Object.entries(selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}
