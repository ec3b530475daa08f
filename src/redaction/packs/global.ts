import { bicCode, namedBic } from '../detectors/bic.ts';
import { creditCard } from '../detectors/card.ts';
import { cryptoWallet } from '../detectors/crypto-wallet.ts';
import { dateOfBirth } from '../detectors/dates.ts';
import { emailAddress } from '../detectors/email.ts';
import { ibanCode } from '../detectors/iban.ts';
import { ipAddress } from '../detectors/ip.ts';
import { macAddress } from '../detectors/mac.ts';
import { phoneNumber } from '../detectors/phone.ts';
import type { Pack } from '../types.ts';

/** What identifies people anywhere. */
export const global: Pack = [
  emailAddress,
  phoneNumber,
  creditCard,
  ibanCode,
  bicCode,
  namedBic,
  ipAddress,
  macAddress,
  cryptoWallet,
  dateOfBirth,
];
