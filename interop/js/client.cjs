// The AWS SDK for JavaScript as a program: one request a line in, one answer a line out (see clients_test.go). The
// packages are found in the folder named by HOMING_NODE_DIR, which is outside the checkout.
'use strict';
const readline = require('node:readline');
const sdk = require('node:module').createRequire(process.env.HOMING_NODE_DIR + '/package.json');

const oidc = sdk('@aws-sdk/client-sso-oidc');
const sso = sdk('@aws-sdk/client-sso');
const sts = sdk('@aws-sdk/client-sts');
const { fromNodeProviderChain } = sdk('@aws-sdk/credential-providers');
const { loadSharedConfigFiles } = sdk('@smithy/core/config'); // what every client of the SDK reads profiles with
const { fromSso } = sdk('@aws-sdk/token-providers');

const region = 'us-east-1';
const services = { 'sso-oidc': [oidc, oidc.SSOOIDCClient], sso: [sso, sso.SSOClient] };

// What each operation is called with when only its refusal matters.
const args = {
  RegisterClient: { clientName: 'interop', clientType: 'public' },
  StartDeviceAuthorization: { clientId: 'c', clientSecret: 's', startUrl: 'https://d-9067f00d42.awsapps.com/start' },
  CreateToken: { clientId: 'c', clientSecret: 's', grantType: 'refresh_token', refreshToken: 'r' },
  ListAccounts: { accessToken: 't' },
  ListAccountRoles: { accessToken: 't', accountId: '111111111111' },
  GetRoleCredentials: { accessToken: 't', accountId: '111111111111', roleName: 'r' },
  Logout: { accessToken: 't' },
};

let kept; // a client that lives as long as this process

async function identity(client) {
  const answer = await client.send(new sts.GetCallerIdentityCommand({}));
  return { account: answer.Account, arn: answer.Arn };
}

const handlers = {
  async version() {
    return { version: 'AWS SDK for JavaScript ' + sdk('@aws-sdk/client-sts/package.json').version };
  },
  async identity({ profile }) {
    return identity(new sts.STSClient({ region, credentials: fromNodeProviderChain(profile ? { profile } : {}) }));
  },
  async again() {
    kept ??= new sts.STSClient({ region }); // with the default credentials
    return identity(kept);
  },
  async profiles() {
    return { profiles: Object.keys((await loadSharedConfigFiles()).configFile).filter((name) => !name.startsWith('sso-session.')) };
  },
  async token({ profile }) {
    const token = await fromSso({ profile })();
    return { expires: token.expiration.toISOString() };
  },
  async call({ service, op }) {
    const [pkg, Client] = services[service];
    try {
      await new Client({ region }).send(new pkg[op + 'Command'](args[op]));
    } catch (e) {
      const typed = pkg[e.name] && e instanceof pkg[e.name];
      return {
        type: typed ? e.name : '',
        code: e.name,
        message: e.error_description || e.message || '',
        status: e.$metadata ? e.$metadata.httpStatusCode || 0 : 0,
      };
    }
    return { status: 200 };
  },
};

(async () => {
  for await (const line of readline.createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    let answer;
    try {
      answer = await handlers[request.do](request);
    } catch (e) {
      answer = { error: e.name, message: String(e.message) };
    }
    process.stdout.write(JSON.stringify(answer) + '\n');
  }
})();
