import { describe, expect, it } from 'vitest';
import { everyDetector, inspect } from '../../src/redaction/index.ts';

/** One table a detector: what it must find by itself, and what is near it and must not be found. Made from the definitions. */
const TABLES: Readonly<Record<string, { readonly valid: readonly string[]; readonly invalid: readonly string[] }>> = {
  EMAIL_ADDRESS: {
    valid: [
      'a@b.co',
      'first.last+tag@sub.example.museum',
      "o'neil@example.com",
      'a@xn--d1acufc.xn--p1ai',
      'ü@bücher.de',
      'bounce+ann=example.com@lists.example',
    ],
    invalid: ['a@b', '@b.co', 'a @b.co', 'a@b.c', 'a@.com'],
  },
  CREDIT_CARD: {
    valid: ['4111111111111111', '3782 822463 10005', '6011-1111-1111-1117', '3530111333300000', '30569309025904'],
    invalid: ['4111111111111112', '1234567812345670', '0000000000000000', '4111 1111-1111 1111 1'],
  },
  IBAN_CODE: {
    valid: ['NL91ABNA0417164300', 'NO93 8601 1117 947', 'mt84malt011000012345mtlcast001s'],
    invalid: ['NL91ABNA0417164301', 'XX91ABNA0417164300', 'NL91ABNA041716430'],
  },
  IP_ADDRESS: {
    valid: ['8.8.8.8', '192.168.0.0/16', '::1', '2001:db8::1', '::ffff:10.0.0.1'],
    invalid: ['1.2.3', '256.1.1.1', '1.2.3.4a', '1.3.6.1.4.1.311', '12:30:45', 'std::vector', '1::2::3'],
  },
  MAC_ADDRESS: {
    valid: ['01:23:45:67:89:ab', '01-23-45-67-89-AB', '0123.4567.89ab'],
    invalid: ['01:23:45:67:89', '00:00:00:00:00:00', '01:23-45:67:89:ab', '01:23:45:67:89:ab:cd'],
  },
  CRYPTO: {
    valid: [
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa',
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4',
      '0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BAe',
    ],
    invalid: [
      '1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb',
      'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t5',
      '0xde0B295669a9FD93d5F28D9Ec85E40f4cb697BA',
    ],
  },
  PHONE_NUMBER: {
    valid: [
      '+14155550132',
      '+44 20 7946 0958',
      '(415) 555-0132',
      '415-555-0132 x12',
      '+33 1 42 68 53 00',
      '(+351) 912 681 168',
      '08 - 123 45 67',
    ],
    invalid: ['+1415555013', '12-34', '1.2.3.4', '2024-06-05', '+999 123'],
  },
  US_SSN: {
    valid: ['536-22-1234', '536.22.1234'],
    invalid: ['000-22-1234', '666-22-1234', '900-22-1234', '536-00-1234', '536-22-0000', '536-22-12345'],
  },
  US_ITIN: { valid: ['912-70-1234', '999-99-1234'], invalid: ['812-70-1234', '912-66-1234', '912-89-1234'] },
  US_NPI: { valid: ['1234567893', '1245319599'], invalid: ['1234567890', '3234567893'] },
  US_MBI: { valid: ['1EG4-TE5-MK73', '1EG4TE5MK73'], invalid: ['0EG4TE5MK73', '1SG4TE5MK73', '1EG4-TE5MK73'] },
  ABA_ROUTING_NUMBER: { valid: ['121000358', '011000015'], invalid: ['121000359', '500000005'] },
  MEDICAL_LICENSE: { valid: ['BB1388568', 'F91234563'], invalid: ['BB1388569', 'QB1388568'] },
  UK_NHS: { valid: ['943 476 5919', '9434765919'], invalid: ['943 476 5918', '1111111111'] },
  UK_NINO: { valid: ['AB123456C', 'AB 12 34 56 C'], invalid: ['BG123456C', 'QQ123456C', 'AB123456E', 'AO123456C'] },
  UK_POSTCODE: { valid: ['SW1A 1AA', 'M1 1AE', 'GIR 0AA'], invalid: ['QW1A 1AA', 'M1 1CE', 'SW1A1 1AA'] },
  UK_VEHICLE_REGISTRATION: {
    valid: ['AB12 CDE', 'AB62CDE', 'A123 BCD'],
    invalid: ['AB00 CDE', 'AB42 CDE', 'Q123 BCD'],
  },
  DE_TAX_ID: { valid: ['86095742719', '65929970489'], invalid: ['86095742718', '06095742719'] },
  DE_FUEHRERSCHEIN: { valid: ['B072RRE2I55', 'BO12345678A'], invalid: ['B072RRE2I45', 'BO12345678'] },
  DE_KFZ: { valid: ['B-AB 1234E', 'WÜ-AB 123', 'LÖ UA 9H'], invalid: ['WÜ-ABC 123', 'WÜRZ-AB 123', 'WÜ-AB 0123'] },
  URL: {
    valid: [
      'https://a.example/x?y=1#z',
      'example.com/a/b',
      'example.co.uk:8080/x',
      'ftp://files.example.org/x.tar.gz',
      'http://münchen.example/a_(b)',
      'münchen.de',
    ],
    invalid: ['example.notatld', 'the end.It is', 'www.example', 'file.ts', 'and/or.com'],
  },
  PH_MOBILE_NUMBER: { valid: ['09171234567', '+63 917 123 4567'], invalid: ['9171234567', '0817123456'] },
  US_DRIVER_LICENSE: { valid: ['DOEJ**A123BC', 'U62928788557186'], invalid: ['DOEJ**A123BCD', '**BOLD12TEXT**'] },
  DE_TAX_NUMBER: {
    valid: ['2893081508152', '181/815/08155', '93815/08152'],
    invalid: ['2893181508152', '18/81/08155'],
  },
  DATE_TIME: {
    valid: ['May 2021', 'May-2021', 'May-21-2021', '21.5.21', '5/20/2021', '2024-03-15T14:30Z'],
    invalid: ['3.28.47', '5.5.31-beta', '13/25/2021', 'May'],
  },
  SG_UEN: {
    valid: ['53125226D', '201434292D', 'T08LL0001K', 'R16RF0037F'],
    invalid: ['53125226X', '201434292X', 'T08LL0001A', 'T08ZZ0001K', '181434292D'],
  },
  KR_BRN: { valid: ['220-81-62517'], invalid: ['220-81-62518', '000-81-62511'] },
  DE_VAT_ID: { valid: ['DE136695976', 'DE 136 695 976'], invalid: ['DE136695977', 'FR136695976'] },
  DE_HEALTH_INSURANCE: { valid: ['A123456780'], invalid: ['A123456781', '1123456780'] },
  ES_NIF: { valid: ['12345678Z', '12345678-Z'], invalid: ['12345678A'] },
  ES_NIE: { valid: ['X1234567L', 'Y1234567X'], invalid: ['X1234567M', 'A1234567L'] },
  IT_FISCAL_CODE: { valid: ['RSSMRA85T10A562S'], invalid: ['RSSMRA85F10A562S', 'RSSMRA85T10A5622'] },
  IT_VAT_CODE: { valid: ['00743110157', 'IT00743110157'], invalid: ['00743110158', '00000000000'] },
  PT_NIF: { valid: ['123456789', 'PT123456789'], invalid: ['123456780', '400000000'] },
  FR_NIR: { valid: ['255081416802538', '2 55 08 14 168 025 38'], invalid: ['255081416802539', '955081416802538'] },
  FR_SIRET: { valid: ['73282932000074', '732 829 320 00074'], invalid: ['73282932000075'] },
  FI_PERSONAL_IDENTITY_CODE: {
    valid: ['131052-308T', '131052A308T', '131052+308T'],
    invalid: ['131052-308U', '311352-308T', '131052/308T'],
  },
  SE_PERSONNUMMER: { valid: ['811218-9876', '811218+9876', '198112189876'], invalid: ['811218-9875', '811318-9876'] },
  PL_PESEL: { valid: ['44051401359'], invalid: ['44051401358', '44551401359'] },
  NL_BSN: { valid: ['111222333', '123456782'], invalid: ['111222334'] },
  CH_AHV: { valid: ['756.9217.0769.85', '7569217076985'], invalid: ['756.9217.0769.84', '757.9217.0769.85'] },
  BE_NRN: { valid: ['85.07.30-033.28', '85073003328'], invalid: ['85.07.30-033.29', '85.13.30-033.28'] },
  IN_AADHAAR: { valid: ['2341 2341 2346'], invalid: ['2341 2341 2347', '1341 2341 2346'] },
  IN_PAN: { valid: ['ABCPE1234F'], invalid: ['ABCP1234F', 'ABCPE12345'] },
  SG_NRIC_FIN: { valid: ['S1234567D', 'F1234567N'], invalid: ['A1234567D', 'S123456D'] },
  KR_RRN: { valid: ['960121-1234567'], invalid: ['961321-1234567', '960121-5234567'] },
  KR_FRN: { valid: ['960121-5234567'], invalid: ['960121-1234567'] },
  TH_TNIN: { valid: ['1234567890121', '1-2345-67890-12-1'], invalid: ['1234567890122', '9234567890121'] },
  TR_NATIONAL_ID: { valid: ['10000000146'], invalid: ['10000000147', '00000000146'] },
  ZA_ID_NUMBER: { valid: ['8001015009087'], invalid: ['8001015009088', '8013015009087'] },
  AU_ABN: { valid: ['51 824 753 556', '51824753556'], invalid: ['51 824 753 557'] },
  AU_TFN: { valid: ['123 456 782'], invalid: ['123 456 789'] },
  AU_MEDICARE: { valid: ['2123 45670 1'], invalid: ['2123 45671 1', '7123 45670 1'] },
  CA_SIN: { valid: ['130 692 544', '130-692-544'], invalid: ['130 692 545', '046 454 286'] },
  BR_CPF: { valid: ['111.444.777-35', '11144477735'], invalid: ['111.444.777-36', '111.111.111-11'] },
  BR_CNPJ: { valid: ['11.222.333/0001-81', '11222333000181'], invalid: ['11.222.333/0001-82'] },
};

describe('detectors by their own definition', () => {
  it.each(Object.entries(TABLES))('%s', (entity, { valid, invalid }) => {
    const spans = (text: string) =>
      inspect(text, { detectors: everyDetector, entities: [entity] }).map(({ start, end }) => text.slice(start, end));
    for (const value of valid) {
      expect(spans(value), value).toEqual([value]);
      expect(spans(`Note (${value}), ok.`), value).toEqual([value]);
      expect(spans(`漢${value}漢`), value).toEqual([value]);
    }
    for (const value of invalid) expect(spans(value), value).toEqual([]);
  });

  it('raises a score by a word before it, over a list, but not beyond a placeholder', () => {
    const scoresOf = (text: string) =>
      inspect(text, { detectors: everyDetector, entities: ['US_PASSPORT'] }).map(({ score }) => score);
    expect(scoresOf('912803456')).toEqual([0.05]);
    expect(scoresOf('her passport is 912803456')).toEqual([0.8]);
    expect(scoresOf('passports: 912803456 and 912803457')).toEqual([0.8, 0.8]);
    expect(scoresOf('passport [US_PASSPORT_abcdefghijklmn] and 912803457')).toEqual([0.05]);
  });

  it('tells what belongs to a value from what stands around it', () => {
    const found = (entity: string, text: string) =>
      inspect(text, { detectors: everyDetector, entities: [entity] }).map(({ start, end }) => text.slice(start, end));
    expect(found('IP_ADDRESS', 'from x ([IPv6:2001:db8::1])')).toEqual(['2001:db8::1']);
    expect(found('IP_ADDRESS', '番号:2001:db8::1')).toEqual(['2001:db8::1']);
    for (const text of ['12345:db8::1', 'gggg:hhhh::1234', ':::', 'key:std::vector'])
      expect(found('IP_ADDRESS', text), text).toEqual([]);
    expect(found('TR_PHONE_NUMBER', '+91 4155550132')).toEqual([]);
    expect(found('EMAIL_ADDRESS', '|ann@a.example|email=bob@b.example|')).toEqual(['ann@a.example', 'bob@b.example']);
    expect(found('PH_MOBILE_NUMBER', '0.9522542486')).toEqual([]);
    expect(found('PHONE_NUMBER', '2008-2019, 2021')).toEqual([]);
    expect(found('UK_POSTCODE', String.raw`'\u05db'`)).toEqual([]);
    expect(found('TR_PHONE_NUMBER', '+90 5321234567')).toEqual(['+90 5321234567']);
  });

  it('takes a BIC of letters alone only right behind its name', () => {
    const found = (text: string) =>
      inspect(text, { detectors: everyDetector, entities: ['BIC_CODE'] }).map(({ start, end }) =>
        text.slice(start, end),
      );
    expect(found('BIC: DEUTDEFF')).toEqual(['DEUTDEFF']);
    expect(found('{"swift_code": "BNPAFRPPXXX"}')).toEqual(['BNPAFRPPXXX']);
    expect(found('BIC CHASUS33')).toEqual(['CHASUS33']);
    for (const text of ['DEUTDEFF', 'topic: PARALLEL', 'BIC: DEUTQQFF', 'BIC: DEUTDEFFX', 'bic: deutdeff'])
      expect(found(text), text).toEqual([]);
  });

  it('is unsure of a German tax number whose digits nobody is given', () => {
    const scoreOf = (text: string) =>
      inspect(text, { detectors: everyDetector, entities: ['DE_TAX_ID'] }).map(({ score }) => score);
    expect(scoreOf('86095742719')).toEqual([0.5]);
    expect(scoreOf('84143057853')).toEqual([0.3]);
    expect(scoreOf('Steuer-ID 84143057853')).toEqual([0.9]);
  });

  it('names every entity in capitals, and secrets by their rule', () => {
    for (const { entity, group } of everyDetector)
      expect(entity).toMatch(group === 'secret' ? /^[a-z0-9-]+$/ : /^[A-Z0-9_]+$/);
  });
});
