import { describe, expect, it } from 'vitest';
import { inspect, secrets } from '../../src/redaction/index.ts';

const find = (text: string): string[] =>
  inspect(text, { detectors: secrets, scoreMin: 0.5 }).map(
    ({ entity, start, end }) => `${entity}: ${text.slice(start, end)}`,
  );
const hex = (length: number): string => '9f8e7d6c5b4a39281706f5e4d3c2b1a0'.repeat(8).slice(0, length);
const mixed = (length: number): string => 'aB3dE6gH9jK2mN5pQ8sT1vW4yZ7cF0'.repeat(8).slice(0, length);

describe('secrets', () => {
  it.each([
    ['github-pat', `ghp_${mixed(36)}`],
    ['gitlab-pat', `glpat-${mixed(20)}`],
    ['aws-access-token', 'AKIAQ3EGRMLH5TNCV4ZP'],
    ['anthropic-api-key', `sk-ant-api03-${mixed(93)}AA`],
    ['openai-api-key', `sk-proj-${mixed(60)}T3BlbkFJ${mixed(40)}`],
    ['stripe-access-token', `sk_live_${mixed(24)}`],
    ['slack-bot-token', `xoxb-781236542736-236453578965-${mixed(24)}`],
    ['npm-access-token', `npm_${mixed(36)}`],
    ['digitalocean-pat', `dop_v1_${hex(64)}`],
    ['sendgrid-api-token', `SG.${mixed(22)}.${mixed(43)}`],
    ['shopify-access-token', `shpat_${hex(32)}`],
    ['gcp-api-key', `AIza${mixed(35)}`],
    ['huggingface-access-token', `hf_${mixed(34)}`],
    ['jwt', `eyJ${mixed(20)}.eyJ${mixed(30)}.${mixed(43)}`],
  ])('finds %s by its opening, in prose, JSON, a URL and code', (rule, value) => {
    for (const text of [
      value,
      `My key is ${value}.`,
      `{"a":"${value}"}`,
      `https://x.example/?k=${value}&z=1`,
      `const a = '${value}';`,
    ]) {
      expect(find(text), text).toContain(`${rule}: ${value}`);
    }
  });

  it.each([
    ['algolia_TOKEN=', mixed(32).toLowerCase(), 'algolia-api-key'],
    ['"discord_key": "', hex(64), 'discord-api-token'],
    ["const snykToken = '", '0a1b2c3d-4e5f-6a7b-8c9d-0e1f2a3b4c5d', 'snyk-api-token'],
    ['SECRET_KEY := "', mixed(30), 'generic-api-key'],
    ['api-key: ', mixed(30), 'generic-api-key'],
    ['db_password="', 'tr0ub4dor&3!x', 'generic-api-key'],
    ['curl -H "Authorization: Bearer ', mixed(30), 'curl-auth-header'],
    ['curl -u ', `ann:${mixed(14)}`, 'curl-auth-user'],
    ['curl -sL --user ', 'elastic:Pa$$w0rd', 'curl-auth-user'],
    ["curl -u '", 'ann@mail.example:correcthorse', 'curl-auth-user'],
    ['postgres://ann:', 's3cretpw', 'url-credentials'],
    ['<apiKey>', mixed(40), 'generic-api-key'],
    ["define( 'AUTH_KEY', '", '7#kQ2m!x9Zp4^v&Lw8@d', 'generic-api-key'],
    ['os.Setenv("API_TOKEN", "', mixed(40), 'generic-api-key'],
    ['<add key="ClearTextPassword" value="', 'Zq7kPw2mXb9T', 'generic-api-key'],
    ['"intercom_key": "', `=${mixed(59)}`, 'intercom-api-key'],
    ['kraken_TOKEN=', `${mixed(70)}=${mixed(13)}`, 'kraken-access-token'],
    ['"secret_key" => "', 'sk_a1#B2&c3@D4*e5$F6g7H8i9J0k', 'generic-api-key'],
    ["SECRET_KEY = '", '(u7d#k2^p9!m4&z1@x8w_q5v+t3', 'generic-api-key'],
    ['my adafruit api key is ', mixed(40), 'generic-api-key'],
    ['the password for the old server is ', 'tr0ub4dor&3x', 'generic-api-key'],
    ['please use token ', mixed(40), 'generic-api-key'],
    ['machine x.example login ann password ', 'e6olSCBslLGd7O', 'generic-api-key'],
    ['"auths":{"r.example":{"auth":"', 'YW5uOktkS0thNzYxTlJRejhGaGhnZkVX', 'generic-api-key'],
  ])('finds what is assigned: %s', (before, value, rule) => {
    const after = before.startsWith('postgres')
      ? '@db.example.com/x'
      : before === '<apiKey>'
        ? '</apiKey>'
        : (/['"]$/.exec(before)?.[0] ?? ' ');
    expect(find(`${before}${value}${after}`)).toContain(`${rule}: ${value}`);
  });

  it('leaves alone what is about secrets, stands in for one, or is code', () => {
    for (const text of [
      'token: string',
      'max_tokens=1000000000',
      'password = getPassword()',
      'api_key = "YOUR_API_KEY"',
      'api_key=${API_KEY}',
      'Authorization: Bearer <token>',
      'ghp_xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx',
      'AKIAXXXXXXXXXXXXXXXX',
      'key = module.submodule.member1',
      'token_url=https://example.com/oauth2/token',
      'credentialsId: "29f63271-dc2f-4734-8221-5b31b5169bac"',
      'user:pass',
      'key = base64.urlsafe_b64decode(key)',
      'const keys = ["token", "secret12345abc", "key"];',
      '"password", and "correct1horse2" are words',
      'private_key: ed25519.Ed25519PrivateKey',
      'credential: X509Credential',
      'password = base64.b64decode(rest1).decode()',
      'if password == sim_auth[1]:',
      '"NextToken": "eyJOZXh0VG9rZW4iOiBudWxsLCAiYm90b190cnVuY2F0ZV9hbW91bnQi"',
      '"ARN": "arn:aws:secretsmanager:us-west-2:123456789012:secret:MyTestSecret-a1b2c3"',
      '"AWS::ApiGateway::ApiKey": "48205d4ffd7feba3"',
      '"S3Key": "867139942017-PHIDetection-4750034166536cdb52ffa3295a1b00a3/"',
      '#define arctwo128_set_key nettle_arctwo128_set_key',
      'Authorization: AWS4-HMAC-SHA256 Credential=',
      "sign=True, key='param:secp384r1.pem'",
      'foreignKey: "order_2024_items"',
      'License: Apache-2.0-with-GPL2-LGPL2-Exception',
      'login_session = arn:aws:iam::0123456789012:user/ann',
      '<input name="authenticity_token" value="7SWa-Fo1_hsC6oovfBsJFLGPUl2EhkSWPbJhWANwgaJW">',
      'postgres://ann:DB_PASSWORD@db.example.com/x',
      'The key is to read version2024update first.',
      'the token is checked in step3',
      'the key 9fceb02d0ae598e95dc970b74767f19372d61af8 is a commit',
      'The secret: be kind to everybody.',
      'password: correct',
      'public_key = "9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC"',
      'curl -u user:pass https://x.example',
      'curl -u username:your-password https://x.example',
      'curl -u elastic:elastic https://x.example',
      'curl -u "$USER:$PASS" https://x.example',
      'curl --user neo4j:[PASSWORD] https://x.example',
      "curl -u 'name:my_token' https://x.example",
      'docker run -u 1000:100012 app',
      'rsync -u host:/var/lib/app1 .',
      'https://${user}:${password}@host.example',
      'image/png;base64,iVBORw0KGgo',
      'fakeApiKey = "9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC"',
      'DUMMY_TOKEN=9Cnzj4p4WGeKLs1Pt8QuKUpRKfFLfRYC',
      'invalid-token: "9Cnzj4p4WGeKLs1Pt8Qu1"',
    ]) {
      expect(find(text), text).toEqual([]);
    }
  });

  it('takes a private key from its first line to its last', () => {
    const key = `-----BEGIN EC PRIVATE KEY-----\n${'MHQCAQEEIBkg4LVWM9nuwNSk3yByxZpYRTBnVJk5GkMLrzgz9jPf\n'.repeat(3)}-----END EC PRIVATE KEY-----`;
    expect(find(`before ${key} after`)).toEqual([`private-key: ${key}`]);
    expect(find('-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----')).toEqual([]);
    expect(find('-----BEGIN PRIVATE KEY-----\\nMIIEvQIBADANBg').join()).toContain('MIIEvQIBADANBg');
  });
});
