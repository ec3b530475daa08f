import { argumentSecret, assignedSecret } from '../secrets/assignment.ts';
import { authorizationHeader, azureAccountKey, curlUser, urlCredentials } from '../secrets/credentials.ts';
import { prefixedSecrets } from '../secrets/prefix-rules.ts';
import { spokenSecret } from '../secrets/spoken.ts';
import {
  azureClientSecret,
  discordBotToken,
  facebookToken,
  jwt,
  privateKey,
  serviceAccount,
  suffixedKey,
  telegramBotToken,
  terraformToken,
} from '../secrets/structured.ts';
import type { Pack } from '../types.ts';

/** Keys, tokens, passwords. Entities carry the rule's name, like `github-pat`; a policy reaches them all as `secrets`. */
export const secrets: Pack = [
  ...prefixedSecrets,
  jwt,
  privateKey,
  azureClientSecret,
  telegramBotToken,
  discordBotToken,
  terraformToken,
  facebookToken,
  suffixedKey,
  serviceAccount,
  urlCredentials,
  authorizationHeader,
  curlUser,
  azureAccountKey,
  assignedSecret,
  argumentSecret,
  spokenSecret,
];
