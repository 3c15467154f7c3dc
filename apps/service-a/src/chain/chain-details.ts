/** Chain details: what the page of a chain shows beside its answer, in demo mode. */
import type { SeenToken, TraceMetric } from 'demo';
import { chainStory, type ChainStory } from './chain-story.js';
import { compareTokens, type TokenComparison } from './token-comparison.js';

export interface ChainDetails {
  /** Undefined when the request was not traced, as outside of demo mode. */
  readonly story: ChainStory | undefined;
  /** Undefined when there is nothing to tell of tokens, as outside of demo mode and after a refusal. */
  readonly tokens: TokenComparison | 'not_to_be_had' | undefined;
}

export const NO_DETAILS: ChainDetails = { story: undefined, tokens: undefined };

export function refusedDetails(metrics: readonly TraceMetric[] | undefined): ChainDetails {
  return { ...NO_DETAILS, story: metrics && chainStory(metrics) };
}

export function answeredDetails(
  metrics: readonly TraceMetric[] | undefined,
  tokens: readonly SeenToken[] | undefined,
): ChainDetails {
  return { ...refusedDetails(metrics), tokens: tokens === undefined ? 'not_to_be_had' : compareTokens(tokens) };
}
