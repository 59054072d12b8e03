// A provider of OpenID Connect for the tests: the package `oidc-provider` with its own pages, and a door
// at /control by which a test spoils tokens and has logout tokens signed.
//
//   node provider.mjs PORT FERRULE-URL

import { createServer } from 'node:http';
import { SignJWT, UnsecuredJWT, decodeJwt, exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const [port, ferrule] = process.argv.slice(2);
const issuer = `http://localhost:${port}`;
const { privateKey } = await generateKeyPair('RS256', { extractable: true });
const other = await generateKeyPair('RS256', { extractable: true });
const jwk = { ...(await exportJWK(privateKey)), kid: 'one', alg: 'RS256', use: 'sig' };

// A page that fetches nothing from elsewhere.
const logoutSource = (ctx, form) => {
  const button = '<button form="op.logoutForm" name="logout" value="yes">Yes, sign me out</button>';
  ctx.body = `<!doctype html><title>Sign out</title>${form}${button}`;
};

const groups = { mia: ['noc'], tom: ['sales', 'shop'], eve: [], 'boss<b>': ['admins'] };
const client = (id, rest) => ({
  client_id: id,
  grant_types: ['authorization_code'],
  response_types: ['code'],
  redirect_uris: [`${ferrule}/login/callback`],
  post_logout_redirect_uris: [`${ferrule}/logout`],
  ...rest,
});

const provider = new Provider(issuer, {
  clients: [
    client('ferrule', {
      client_secret: 'a secret & 100% of it',
      backchannel_logout_uri: `${ferrule}/login/backchannel`,
      backchannel_logout_session_required: true,
    }),
    client('public', { token_endpoint_auth_method: 'none' }),
    client('posting', { client_secret: 'posted-secret', token_endpoint_auth_method: 'client_secret_post' }),
  ],
  jwks: { keys: [jwk] },
  cookies: { keys: ['not a secret'] },
  claims: { openid: ['sub', 'sid'], profile: ['name'], groups: ['groups'] },
  scopes: ['openid', 'profile', 'groups'],
  features: { backchannelLogout: { enabled: true }, rpInitiatedLogout: { enabled: true, logoutSource } },
  findAccount: (_, id) => ({
    accountId: id,
    claims: () => ({ sub: id, name: `${id} of the tests`, groups: groups[id] ?? [] }),
  }),
  // No one is asked for consent.
  async loadExistingGrant(ctx) {
    const grant = new ctx.oidc.provider.Grant({
      accountId: ctx.oidc.session.accountId,
      clientId: ctx.oidc.client.clientId,
    });
    grant.addOIDCScope('openid profile groups');
    await grant.save();
    return grant;
  },
});

// How the next ID token is spoilt.
let fault = 'none';

const sign = (claims, { key = privateKey, header = {} } = {}) =>
  new SignJWT(claims).setProtectedHeader({ alg: 'RS256', kid: 'one', ...header }).sign(key);

async function spoilt(token) {
  const claims = decodeJwt(token);
  const now = Math.floor(Date.now() / 1000);
  switch (fault) {
    case 'expired': return sign({ ...claims, iat: now - 300, exp: now - 120 });
    case 'old': return sign({ ...claims, iat: now - 3600 });
    case 'future': return sign({ ...claims, iat: now + 600, exp: now + 1200 });
    case 'issuer': return sign({ ...claims, iss: 'http://localhost:1' });
    case 'audience': return sign({ ...claims, aud: 'another' });
    case 'audiences': return sign({ ...claims, aud: ['ferrule', 'another'] });
    case 'party': return sign({ ...claims, azp: 'another' });
    case 'nonce': return sign({ ...claims, nonce: 'another' });
    case 'no nonce': return sign({ ...claims, nonce: undefined });
    case 'subject': return sign({ ...claims, sub: 'x'.repeat(300) });
    case 'user': return sign({ ...claims, sub: 'tom' });
    case 'key': return sign(claims, { key: other.privateKey });
    case 'crit': return sign(claims, { header: { crit: ['b64'], b64: true } });
    case 'unsigned': return new UnsecuredJWT(claims).encode();
    case 'secret': {
      const key = new TextEncoder().encode('a secret & 100% of it');
      return new SignJWT(claims).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(key);
    }
    case 'cut': return token.slice(0, -8);
    case 'form': return 'not.a.token';
    default: throw new Error(fault);
  }
}

provider.use(async (ctx, next) => {
  await next();
  if (ctx.oidc?.route === 'token' && ctx.body?.id_token && fault !== 'none') {
    const token = await spoilt(ctx.body.id_token);
    ctx.body = { ...ctx.body, id_token: token };
    fault = 'none';
  }
});

const callback = provider.callback();
const server = createServer(async (request, response) => {
  const url = new URL(request.url, issuer);
  if (url.pathname === '/control/fault') {
    fault = url.searchParams.get('is');
    return response.end();
  }
  if (url.pathname === '/control/logout-token') {
    const now = Math.floor(Date.now() / 1000);
    const events = { 'http://schemas.openid.net/event/backchannel-logout': {} };
    const claims = { iss: issuer, aud: 'ferrule', iat: now, exp: now + 120, jti: crypto.randomUUID(), events };
    // Claims that replace these, or remove them by `null`, headers, and whether another key signs.
    const asked = JSON.parse(url.searchParams.get('with') ?? '{}');
    const merged = Object.entries({ ...claims, ...asked.claims }).filter(([, value]) => value !== null);
    const header = { typ: 'logout+jwt', ...asked.header };
    const key = asked.other ? other.privateKey : privateKey;
    const token = await sign(Object.fromEntries(merged), { header, key });
    return response.end(token);
  }
  return callback(request, response);
});
server.listen(Number(port), 'localhost');
