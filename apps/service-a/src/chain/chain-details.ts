/** Chain details: what the chain's page shows besides the answer, in demo mode. */
import type { SeenToken, TraceMetric } from 'demo';
import { chainStory, type ChainStory } from './chain-story.js';
import { compareTokens, type TokenComparison } from './token-comparison.js';

export interface ChainDetails {
  /** Undefined when the request was not traced, for example outside demo mode. */
  readonly story: ChainStory | undefined;
  /** Undefined when no tokens are to be shown: outside demo mode, and after the refusal of a caller who is not known. */
  readonly tokens: TokenComparison | 'unavailable' | undefined;
}

export const NO_DETAILS: ChainDetails = { story: undefined, tokens: undefined };

/** `token`: that of the user who was refused. */
export function refusedDetails(metrics: readonly TraceMetric[] | undefined, token?: SeenToken): ChainDetails {
  return { story: metrics && chainStory(metrics), tokens: token && compareTokens([token]) };
}

export function answeredDetails(
  metrics: readonly TraceMetric[] | undefined,
  tokens: readonly SeenToken[] | undefined,
): ChainDetails {
  return { ...refusedDetails(metrics), tokens: tokens === undefined ? 'unavailable' : compareTokens(tokens) };
}
