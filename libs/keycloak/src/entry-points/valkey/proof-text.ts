import type { ChannelRefusal, ReceivedPeriod } from '../extension/index.js';
import type { ChainLinks } from './entry-chain.js';
import type { ProofKeys } from './proof-keys.js';
import type { SealingKeys } from './sealing-keys.js';

export interface StreamProof {
  readonly period: ReceivedPeriod;
  readonly epoch: string;
  readonly links: ChainLinks;
  readonly fencing: number;
}

export interface ProofIdentity {
  readonly issuer: string;
  readonly stream: string;
}

/** The content of a proof; the signature covers `CONTEXT` and then the bytes of the content. */
interface Written {
  readonly v: number;
  readonly i: string;
  readonly c: string;
  /** The poller missed no event from `s` until `u` (server's clock, ms since the epoch). */
  readonly s: number;
  readonly u: number;
  readonly n: number;
  readonly e: string;
  readonly o: number;
  readonly f: number;
  readonly b: string;
  readonly p: number;
  readonly h: string;
}

interface Signed {
  readonly d: string;
  readonly k: string;
  readonly g: string;
}

/** A proof with a higher version is refused, because its fields may have a different meaning. */
const VERSION = 1;
/** The first line of each signed text, so that other signatures of the key are not valid proofs. */
const CONTEXT = 'nestjs-keycloak-s2s revocation proof, version 1\n';
const WHAT = 'revocation proof';
const HASH = /^[\w-]{43}$/;

export class ProofTexts {
  constructor(
    private readonly sealing: SealingKeys,
    private readonly keys: ProofKeys,
    private readonly identity: ProofIdentity,
  ) {}

  write({ period, epoch, links, fencing }: StreamProof): string {
    const written: Written = {
      v: VERSION,
      i: this.identity.issuer,
      c: this.identity.stream,
      s: period.sinceMs,
      u: period.untilMs,
      n: fencing,
      e: epoch,
      o: links.origin,
      f: links.first,
      b: links.before.toString('base64url'),
      p: links.position,
      h: links.head.toString('base64url'),
    };
    const d = JSON.stringify(written);
    const { keyId: k, signature: g } = this.keys.sign(CONTEXT + d);
    return this.sealing.seal(JSON.stringify({ d, k, g } satisfies Signed), this.#associated);
  }

  read(sealed: string): StreamProof | ChannelRefusal {
    const text = this.sealing.open(sealed, this.#associated);
    if (text === undefined) return this.sealing.isNewer(sealed) ? 'proof_newer' : 'proof_unreadable';
    const { d, k, g } = parsed<Signed>(text);
    if (typeof d !== 'string' || typeof k !== 'string' || typeof g !== 'string') return 'proof_malformed';
    if (this.keys.status.publicKeys === 0) return 'no_public_key';
    const written = parsed<Written>(d);
    if (typeof written.v === 'number' && written.v > VERSION) return 'proof_newer';
    if (!this.keys.verify(CONTEXT + d, { keyId: k, signature: g })) return 'proof_unknown_signer';
    if (written.i !== this.identity.issuer || written.c !== this.identity.stream) return 'proof_of_another_stream';
    return proofIn(written) ?? 'proof_malformed';
  }

  get #associated(): readonly string[] {
    return [WHAT, this.identity.issuer];
  }
}

function parsed<T>(text: string): Partial<T> {
  try {
    return Object(JSON.parse(text)) as Partial<T>;
  } catch {
    return {};
  }
}

function proofIn({ v, s, u, n, e, o, f, b, p, h }: Partial<Written>): StreamProof | undefined {
  const [sinceMs, untilMs, fencing, origin, first, position] = [s, u, n, o, f, p].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const isWhole = [s, u].every(Number.isFinite) && [n, o, f, p].every(Number.isSafeInteger);
  const isOurs = v === VERSION && typeof e === 'string' && HASH.test(b ?? '') && HASH.test(h ?? '');
  if (!isWhole || !isOurs || origin >= first || first > position + 1) return undefined;
  const [before, head] = [Buffer.from(b ?? '', 'base64url'), Buffer.from(h ?? '', 'base64url')];
  return { period: { sinceMs, untilMs }, epoch: e, fencing, links: { origin, first, before, position, head } };
}
