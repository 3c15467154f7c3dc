import { error, note, ok, type Finding } from '../../checkup/finding.js';
import type { ComposedIssuer } from '../../module/compose-issuer.js';
import type { ChannelExamination } from '../../revocation/revocation-channel.js';

/** A healthy poller writes a proof at least every five seconds. */
const PROOF_WAIT_MS = 12_000;

type Examined = Pick<ComposedIssuer, 'feed' | 'options' | 'sharing'>;

/** `isFeedFaulty` means that this service can't poll, which explains a missing proof. */
export async function channelFindings({ feed, options, sharing }: Examined, isFeedFaulty: boolean): Promise<Finding[]> {
  if (options.revocationChannel === undefined) return [];
  const isPoller = feed.sources.length > 0;
  // `proofKeyFinding` reports a missing public key.
  const canVerify = options.revocationChannel.proofKeys?.().publicKeys !== 0;
  const needsProof =
    canVerify && ((isPoller && !isFeedFaulty) || options.introspectionTtlWithEventsSeconds !== undefined);
  const examination = await sharing.examine({ isPoller, proofWaitMs: needsProof ? PROOF_WAIT_MS : 0 });
  if (examination === undefined) {
    return [note('shared_state', 'The revocation channel was not examined, because it does not support that.')];
  }
  const { faults, place, keyFingerprints } = examination;
  if (faults.length > 0) {
    return faults.map(({ message, cure }) => ({ ...error('shared_state', message, cure), keyFingerprints }));
  }
  return [
    ok('shared_state', `${place}: reached, the password is accepted, and the rights suffice.`),
    keysFinding(examination),
    ...(needsProof && !isFeedFaulty ? [proofFinding(examination)] : []),
  ];
}

function keysFinding({ keyFingerprints }: ChannelExamination): Finding {
  const [first = '', ...others] = keyFingerprints;
  const older = others.length === 0 ? '' : ` Older keys: ${others.join(', ')}.`;
  const message = `The key that seals denials has the fingerprint ${first}. Every service needs this key.${older}`;
  return { ...ok('shared_state', message), keyFingerprints };
}

function proofFinding({ proof }: ChannelExamination): Finding {
  if (proof?.isRenewed === true) {
    return ok('signals', 'A poller runs: it wrote a proof during this examination.');
  }
  const last =
    proof?.ageSeconds === undefined ? 'there is no proof' : `the last proof is ${Math.round(proof.ageSeconds)} s old`;
  const finding = error(
    'signals',
    `No poller runs, or it can't poll Keycloak: ${last}. Cached answers expire as early as without a signal feed.`,
    "Start the process that imports RevocationEventsModule (the signal poller). If it runs, its log says why it can't poll.",
  );
  return { ...finding, isSymptom: true };
}
