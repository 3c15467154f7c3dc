import type { Finding } from '../../checkup/finding.js';
import type { ComposedIssuer } from '../../module/compose-issuer.js';
import { channelFindings } from './channel-findings.js';
import { signalFindings, signalSettingFindings } from './signal-findings.js';

export async function feedFindings(own: ComposedIssuer, before: readonly Finding[]): Promise<Finding[]> {
  const isReached = before.some(({ check, level }) => check === 'address' && level === 'ok');
  const isRefused = before.some(({ check, level }) => check === 'credentials' && level === 'error');
  // If Keycloak refuses the client of this service, a poll by the same client would repeat a finding in `before`.
  const pollsAsItself = own.feed.sources.every(({ clientId }) => clientId === own.options.clientId);
  const isTried = isReached && !(isRefused && pollsAsItself);
  const ofFeed = isTried ? await signalFindings(own) : [];
  const isFeedFaulty = !isTried || ofFeed.some(({ level }) => level === 'error');
  return [...ofFeed, ...signalSettingFindings(own), ...(await channelFindings(own, isFeedFaulty))];
}
