/**
 * Keys without a telling form, known by the vendor's name in what they are assigned to: `algolia_TOKEN=…`. One row a
 * vendor: names (any of them, compared without case, `_` and `-`), then `rule:class lengths` in order of preference.
 * Classes: h hex, d digits, a letters and digits, w also `_` and `-`, e also `=`, s also `/` and `+`, u a UUID.
 */
export const VENDOR_ROWS: readonly string[] = [
  '1password;1password-secret-key:w40',
  'adafruit;adafruit-api-key:w32',
  'adobe;adobe-client-id:h32',
  'airtable;airtable-api-key:a17',
  'algolia;algolia-api-key:a32',
  'alibaba aliyun;alibaba-secret-key:a30',
  'asana;asana-client-id:d16 asana-client-secret:a32',
  'atlassian confluence jira;atlassian-api-token:a20-24',
  'bitbucket;bitbucket-client-id:a32 bitbucket-client-secret:e64',
  'bittrex;bittrex-access-key:a32',
  'beamer;beamer-api-token:e46',
  'meraki;cisco-meraki-api-key:h40',
  'cloudflare;cloudflare-global-api-key:h37 cloudflare-api-key:w40',
  'codecov;codecov-access-token:a32',
  'cohere;cohere-api-token:a40',
  'coinbase;coinbase-access-token:w64',
  'confluent;confluent-secret-key:a64 confluent-access-token:a16',
  'contentful;contentful-delivery-api-token:e43',
  'datadog;datadog-access-token:a40',
  'discord;discord-api-token:h64 discord-client-id:d18 discord-client-secret:e32',
  'drone;droneci-access-token:a32',
  'dropbox;dropbox-api-token:a15 dropbox-long-lived-api-token:e64',
  'etsy;etsy-access-token:a24',
  'facebook;facebook-secret:h32',
  'fastly;fastly-api-token:e32',
  'finicity;finicity-api-token:h32 finicity-client-secret:a20',
  'finnhub;finnhub-access-token:a20',
  'flickr;flickr-access-token:a32',
  'freemius;freemius-secret-key:w32',
  'freshbooks;freshbooks-access-token:a64',
  'gitter;gitter-access-token:w40',
  'heroku;heroku-api-key:u',
  'hubspot;hubspot-api-key:u',
  'intercom;intercom-api-key:e60',
  'jfrog artifactory bintray xray;jfrog-api-key:a73 jfrog-identity-token:a64',
  'kraken;kraken-access-token:s80-90',
  'kucoin;kucoin-access-token:h24 kucoin-secret-key:u',
  'launchdarkly;launchdarkly-access-token:e40',
  'linear;linear-client-secret:h32',
  'linkedin;linkedin-client-id:a14 linkedin-client-secret:a16',
  'looker;looker-client-id:a20 looker-client-secret:a24',
  'mailgun;mailgun-signing-key:w50',
  'mattermost;mattermost-access-token:a26',
  'maxmind;maxmind-license-key:w40',
  'messagebird;messagebird-api-token:a25 messagebird-client-id:u',
  'netlify;netlify-access-token:e40-46',
  'newrelic;new-relic-user-api-id:a64',
  'nytimes newyorktimes;nytimes-access-token:e32',
  'okta;okta-access-token:e42',
  'plaid;plaid-client-id:a24 plaid-secret-key:a30',
  'rapidapi;rapidapi-access-token:w50',
  'sendbird;sendbird-access-token:h40 sendbird-access-id:u',
  'sentry;sentry-access-token:h64',
  'snyk;snyk-api-token:u',
  'sonar;sonar-api-token:e40',
  'squarespace;squarespace-access-token:u',
  'sumologic sumoaccess sumotoken sumokey sumoapi sumosecret;sumologic-access-token:a64 sumologic-access-id:a14',
  'travis;travisci-access-token:a22',
  'trello;trello-access-token:w32',
  'twitch;twitch-api-token:a30',
  'twitter;twitter-api-key:a25 twitter-access-secret:a45 twitter-api-secret:a50 twitter-access-token:w35-66',
  'zendesk;zendesk-secret-key:a40',
  'aws;aws-secret-access-key:s40',
  'mistral;mistral-api-key:a32',
  'privateai;privateai-api-token:a32',
  'gemnasium;gemnasium-token:a32',
  'mailchimp;mailchimp-api-key:w37',
  'contribsys;sidekiq-secret:h16',
  'azure;azure-api-key:h32',
  'together;together-api-key:h64',
  'deepgram;deepgram-api-key:h40',
  'elevenlabs;elevenlabs-api-key:h32',
  'assemblyai;assemblyai-api-key:h32',
  'datarobot;datarobot-api-token:e60-100',
];

export interface VendorRule {
  readonly entity: string;
  readonly matches: (value: string) => boolean;
}

export interface Vendor {
  readonly names: readonly string[];
  readonly rules: readonly VendorRule[];
}

const CLASSES: Readonly<Record<string, string>> = {
  h: '[0-9a-fA-F]',
  d: '[0-9]',
  a: '[0-9A-Za-z]',
  w: '[0-9A-Za-z_-]',
  e: '[0-9A-Za-z_=-]',
  s: '[0-9A-Za-z_=+/-]',
};
const UUID = /^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$/;

/** Compiles the rows. */
export function vendors(rows: readonly string[] = VENDOR_ROWS): Vendor[] {
  return rows.map((row) => {
    const [names = '', rules = ''] = row.split(';');
    return { names: names.split(' '), rules: rules.split(' ').map(vendorRule) };
  });
}

function vendorRule(source: string): VendorRule {
  const [entity = '', shape = ''] = source.split(':');
  if (shape === 'u') return { entity, matches: (value) => UUID.test(value) };
  const [least = '', most = least] = shape.slice(1).split('-');
  const expression = new RegExp(`^${CLASSES[shape.charAt(0)]}{${least},${most}}$`);
  // Hex is written in one case throughout.
  const hex = shape.startsWith('h');
  return { entity, matches: (value) => expression.test(value) && !(hex && /[a-f]/.test(value) && /[A-F]/.test(value)) };
}
