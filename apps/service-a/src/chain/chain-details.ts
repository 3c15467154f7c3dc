import type { SeenToken, TraceMetric } from 'demo';
import { chainStory, type ChainStory } from './chain-story.js';
import { compareTokens, type TokenComparison } from './token-comparison.js';

export interface ChainDetails {
  readonly story: ChainStory | undefined;
  /** Undefined outside demo mode, or if the refused caller is unknown. */
  readonly tokens: TokenComparison | 'unavailable' | undefined;
}

export const NO_DETAILS: ChainDetails = { story: undefined, tokens: undefined };

export function refusedDetails(metrics: readonly TraceMetric[] | undefined, token?: SeenToken): ChainDetails {
  return { story: metrics && chainStory(metrics), tokens: token && compareTokens([token]) };
}

export function answeredDetails(
  metrics: readonly TraceMetric[] | undefined,
  tokens: readonly SeenToken[] | undefined,
): ChainDetails {
  return { ...refusedDetails(metrics), tokens: tokens === undefined ? 'unavailable' : compareTokens(tokens) };
}
