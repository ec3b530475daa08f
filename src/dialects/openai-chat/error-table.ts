import type { ErrorCode } from '../../core/errors.ts';

/**
 * Codes, types and statuses in bodies that say what happened better than the HTTP status, in lower case. From OpenAI,
 * Azure, Groq, Mistral, DeepSeek, Moonshot, Z.AI, Alibaba, GitHub Models, vLLM, llama.cpp and the Gemini compat layer.
 */
export const SPECIFIC: Readonly<Record<string, ErrorCode>> = {
  ...to('quota-exceeded', 'insufficient_quota quota_exceeded billing_hard_limit_reached billing_not_active'),
  ...to('quota-exceeded', 'insufficient_balance insufficient_credits exceeded_current_quota_error payment_required'),
  ...to('quota-exceeded', 'billing_error arrearage credits_exhausted insufficient_user_quota 1113'),
  ...to('authentication', 'invalid_api_key invalid_authentication invalid_authentication_error authentication_error'),
  ...to('authentication', 'incorrect_api_key unauthorized unauthenticated api_key_invalid account_deactivated'),
  ...to('authentication', 'invalidapikey no_api_key missing_api_key wrong_api_key expired_api_key token_expired'),
  ...to('permission', 'permission_denied permission_error insufficient_permissions forbidden access_denied'),
  ...to('permission', 'unsupported_country_region_territory ip_not_authorized access_terminated_error'),
  ...to('not-found', 'model_not_found not_found_error notfounderror deploymentnotfound invalid_model not_found'),
  ...to('not-found', 'resource_not_found_error model_not_available unknown_model model_not_supported 1211'),
  ...to('rate-limited', 'rate_limit_exceeded rate_limit_error rate_limit_reached_error ratelimitreached'),
  ...to('rate-limited', 'too_many_requests rate_limited resource_exhausted requests tokens throttling 1302 1303 1305'),
  ...to('overloaded', 'overloaded_error overloaded engine_overloaded_error slow_down service_unavailable'),
  ...to('overloaded', 'server_overloaded unavailable capacity_exceeded service_tier_capacity_exceeded'),
  ...to('timeout', 'request_timeout deadline_exceeded timeout_error gateway_timeout'),
  ...to('context-too-long', 'context_length_exceeded context_window_exceeded exceed_context_size_error'),
  ...to('context-too-long', 'model_max_prompt_tokens_exceeded input_too_long prompt_too_long 1261'),
  ...to('context-too-long', 'tokens_limit_reached context_length_exceeded_error'),
  ...to('request-too-large', 'request_too_large request_entity_too_large payload_too_large string_above_max_length'),
  ...to('content-filtered', 'content_filter content_policy_violation content_filtered invalid_prompt bio_policy'),
  ...to('content-filtered', 'misalignment_policy_violation responsibleaipolicyviolation data_inspection_failed'),
  ...to('content-filtered', 'moderation_blocked sensitive_content content_filter_error datainspectionfailed 1301'),
};

/** Words that only repeat what a status says: they count where the status does not, inside a 200 answer. */
export const GENERIC: Readonly<Record<string, ErrorCode>> = {
  ...to('invalid-request', 'invalid_request_error invalid_request bad_request badrequesterror invalid_argument'),
  ...to('invalid-request', 'unsupported_parameter unsupported_value failed_precondition validation_error'),
  ...to('invalid-request', 'tool_use_failed json_validate_failed'),
  ...to('unavailable', 'server_error internal_server_error internal_error internalservererror api_error internal'),
  ...to('unavailable', 'upstream_error provider_error bad_gateway'),
  ...to('timeout', 'timeout'),
};

function to(code: ErrorCode, names: string): Record<string, ErrorCode> {
  return Object.fromEntries(names.split(' ').map((name) => [name, code]));
}

/**
 * The last resort, for servers without codes: what their messages say. Only read for the statuses named, in this
 * order. `200` stands for an error inside a stream or a good answer.
 */
export const MESSAGES: readonly { code: ErrorCode; statuses: readonly number[]; pattern: RegExp }[] = [
  {
    code: 'context-too-long',
    statuses: [200, 400, 413, 422, 500],
    pattern: new RegExp(
      [
        'maximum context length',
        'maximum prompt length',
        'context (length|window|size|limit)',
        'prompt (is|was) too long',
        'input (is|was) too long',
        'too many (input )?tokens',
        'too large for model',
        'input token count',
        'prompt token count',
        'exceeds? the (maximum|max) number of tokens',
        'exceeded model token limit',
        'prompt exceeds max length',
        'range of input length',
        'reduce the length of the (messages|prompt|input)',
        'max_new_tokens` must be <=',
        'longer than the model',
        'keep the first \\d+ tokens',
        'max(imum)? sequence length',
      ].join('|'),
      'i',
    ),
  },
  {
    code: 'quota-exceeded',
    statuses: [200, 400, 401, 402, 403, 429],
    pattern: new RegExp(
      [
        'exceeded your (current|monthly) quota',
        'credit balance',
        'insufficient (balance|credit|funds|quota)',
        'out of credits',
        '(spend|spending|billing|credit)[ _-](hard )?limit',
        'exceeded your monthly',
        'add (a )?payment',
        'requires more credits',
      ].join('|'),
      'i',
    ),
  },
  {
    code: 'content-filtered',
    statuses: [200, 400, 403, 422, 451],
    pattern:
      /content (management policy|filter|policy)|flagged (by|as)|requires moderation|safety system|inappropriate content/i,
  },
  {
    code: 'authentication',
    statuses: [200, 400, 403],
    pattern:
      /(incorrect|invalid|missing|expired) api[ _-]?key|api[ _-]?key (is )?(not valid|invalid|expired|missing)|no auth credentials/i,
  },
  {
    code: 'not-found',
    statuses: [200, 400, 422],
    pattern:
      /model\b.{0,120}(does not exist|not found|is not supported)|not a valid model|invalid model|unknown model|try pulling/i,
  },
  { code: 'rate-limited', statuses: [200, 400, 403, 503], pattern: /rate[ -]?limit|too many requests/i },
  { code: 'overloaded', statuses: [200, 500, 502], pattern: /overloaded|at capacity|capacity exceeded/i },
];
