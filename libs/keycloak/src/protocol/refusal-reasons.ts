/** docs/refusals.md explains each reason. */
import { CONNECTION_FAILURES } from './connection-failures.js';
import type { OAuthErrorCode } from './oauth-error-codes.js';

export const BEARER_ERROR_REASONS = [
  'no_credentials',
  'session_ended',
  'session_unknown',
  'scheme_not_bearer',
  'token_in_query',
  'token_in_form',
  'malformed_authorization_header',
  'more_than_one_credential',
  'too_many_headers',
  'token_too_long',
  'token_malformed',
  'inactive',
  'revoked',
  'algorithm_not_allowed',
  'critical_header_unknown',
  'signing_key_unknown',
  'signature_invalid',
  'lightweight_token',
  'iss_missing',
  'sub_missing',
  'aud_missing',
  'exp_missing',
  'iat_missing',
  'jti_missing',
  'client_missing',
  'sub_reserved',
  'nbf_malformed',
  'iat_malformed',
  'scope_malformed',
  'azp_malformed',
  'client_id_malformed',
  'jti_malformed',
  'sid_malformed',
  'preferred_username_malformed',
  'email_malformed',
  'act_malformed',
  'other_issuer',
  'other_audience',
  'not_an_access_token',
  'sender_constrained',
  'expired',
  'not_yet_valid',
  'issued_in_the_future',
  'subject_token_refused',
  'permission_missing',
  'permission_not_granted_to_subject',
  'delegation_token_refused',
  'refused_by_next_service',
  'client_not_allowed',
  'acr_missing',
  'authentication_too_weak',
  'auth_time_missing',
  'auth_time_in_the_future',
  'authentication_too_old',
  'no_decorator_opens_it',
  'access_unclear',
  'context_without_carrier',
  'context_shared',
  'transport_without_headers',
] as const;

export type BearerErrorReason = (typeof BEARER_ERROR_REASONS)[number];

const EXCHANGE_FAILURES = ['timeout', 'answer_too_large', 'answer_broken_off', ...CONNECTION_FAILURES] as const;

const CALLS_NOT_MADE = ['queue_full', 'circuit_open'] as const;

/** The reasons why the authorization server gave no usable answer, except `answered_<status>_<error>`. */
export const AUTHORIZATION_SERVER_ERROR_REASONS = [
  ...EXCHANGE_FAILURES,
  ...CALLS_NOT_MADE,
  'answer_not_json',
  'answer_not_strict_json',
  'nonsense_answer',
  'client_credential_unreadable',
  'realm_not_found',
  'issuer_mismatch',
  'endpoint_missing',
  'endpoint_on_foreign_origin',
  'no_audience_at_issuer',
  'token_type_not_bearer',
  'access_token_not_header_safe',
  'issued_token_type_not_as_asked',
  'scope_not_asked_for',
  'scope_not_granted',
  'audience_mapper_missing',
  'audience_mismatch',
  'signing_keys_malformed',
  'signing_key_unknown',
  'signing_key_unusable',
] as const;

export type AnsweredWith = OAuthErrorCode | 'challenge' | 'unexpected_status';

export type AuthorizationServerErrorReason =
  (typeof AUTHORIZATION_SERVER_ERROR_REASONS)[number] | `answered_${number}_${AnsweredWith}`;

/** The reasons why a call to another service failed, except `answered_<status>`. */
export const SERVICE_CALL_ERROR_REASONS = [
  ...EXCHANGE_FAILURES,
  ...CALLS_NOT_MADE,
  'answer_not_json',
  'answer_not_as_agreed',
] as const;

export type ServiceCallErrorReason = (typeof SERVICE_CALL_ERROR_REASONS)[number] | `answered_${number}`;

export type RefusalReason = BearerErrorReason | AuthorizationServerErrorReason | ServiceCallErrorReason;
