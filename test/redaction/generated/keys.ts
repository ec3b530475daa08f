import { BASE62, CAPITALS, type Draw, HEX } from './draw.ts';

/** What a vendor's documentation says a key looks like, with the vendor's word for the name it is assigned to. */
export interface Key {
  readonly vendor: string;
  readonly make: (draw: Draw) => string;
  /** Tells its maker by itself, without a name beside it. */
  readonly telling: boolean;
}

const LOWER = `${CAPITALS.toLowerCase()}0123456789`;
const telling = (vendor: string, opening: string, alphabet: string, count: number): Key => ({
  vendor,
  make: (draw) => opening + draw.of(alphabet, count),
  telling: true,
});
const plain = (vendor: string, alphabet: string, count: number): Key => ({
  vendor,
  make: (draw) => draw.of(alphabet, count),
  telling: false,
});

export const keys: readonly Key[] = [
  telling('github', 'ghp_', BASE62, 36),
  telling('gitlab', 'glpat-', BASE62, 20),
  telling('aws', 'AKIA', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 16),
  telling('digitalocean', 'dop_v1_', HEX, 64),
  telling('stripe', 'sk_live_', BASE62, 24),
  telling('npm', 'npm_', BASE62, 36),
  telling('perplexity', 'pplx-', BASE62, 48),
  telling('shopify', 'shpat_', HEX, 32),
  telling('postman', 'PMAK-', HEX, 24 + 1 + 34),
  telling('grafana', 'eyJrIjoi', BASE62, 76),
  telling('linear', 'lin_api_', LOWER, 40),
  telling('age', 'AGE-SECRET-KEY-1', 'QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L', 58),
  plain('adafruit', LOWER, 32),
  plain('asana', LOWER, 32),
  plain('bitbucket', LOWER, 64),
  plain('cloudflare', HEX, 37),
  plain('cohere', BASE62, 40),
  plain('datadog', LOWER, 40),
  plain('discord', HEX, 64),
  plain('fastly', LOWER, 32),
  plain('launchdarkly', LOWER, 40),
  plain('trello', LOWER, 32),
  plain('zendesk', LOWER, 40),
  plain('someone', BASE62, 40),
].map((key) =>
  key.vendor === 'postman' ? { ...key, make: (draw) => `PMAK-${draw.of(HEX, 24)}-${draw.of(HEX, 34)}` } : key,
);

/** How keys stand in files and are said: text before, text behind. */
export const places: readonly ((vendor: string) => readonly [before: string, after: string])[] = [
  (vendor) => [`${vendor}_TOKEN=`, '\n'],
  (vendor) => [`export ${vendor.toUpperCase()}_API_KEY="`, '"'],
  (vendor) => [`{"${vendor}_key": "`, '", "region": "eu"}'],
  (vendor) => [`const ${vendor}Token = '`, "';"],
  (vendor) => [`${vendor}:\n  api_key: `, '\n  region: eu\n'],
  (vendor) => [`curl -H "X-${vendor}-Token: `, '" https://api.example'],
  (vendor) => [`<${vendor}ApiKey>`, `</${vendor}ApiKey>`],
  (vendor) => [`<add key="${vendor}Secret" value="`, '" />'],
  (vendor) => [`my ${vendor} api key is `, ', can you check it?'],
];

/** What stands where a key would, and lines of files that look drawn by lot. */
export const harmless: readonly ((draw: Draw) => string)[] = [
  () => 'API_KEY=<YOUR_API_KEY>',
  () => 'api_key: "YOUR_API_KEY"',
  () => "const token = process.env['GITHUB_TOKEN'];",
  () => 'token: ${{ secrets.GITHUB_TOKEN }}',
  () => `API_KEY=${'x'.repeat(32)}`,
  () => `ghp_${'X'.repeat(36)}`,
  () => 'secret = generate_secret(32)',
  (draw) => `"integrity": "sha512-${draw.of(BASE62, 86)}=="`,
  (draw) => `  checksum: ${draw.of(HEX, 128)}`,
  (draw) => `image: registry.example/app@sha256:${draw.of(HEX, 64)}`,
  (draw) => `commit ${draw.of(HEX, 40)}`,
  (draw) => `"gitHead": "${draw.of(HEX, 40)}"`,
  (draw) => `ETag: "${draw.of(HEX, 32)}"`,
  (draw) =>
    `request_id=${draw.of(HEX, 8)}-${draw.of(HEX, 4)}-4${draw.of(HEX, 3)}-a${draw.of(HEX, 3)}-${draw.of(HEX, 12)}`,
  (draw) => `the key ${draw.of(HEX, 40)} names a commit`,
  (draw) => `data:image/png;base64,${draw.of(BASE62, 200)}`,
];
