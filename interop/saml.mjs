// pysaml2 as the corporate identity provider of a lab: people sign in there and come back with a code, groups decide
// which connector they reach, everything that is wrong with an answer is refused, and a client that is a service provider
// itself exchanges the assertion it holds for a refresh token and for ID-JAGs.

import { Admin } from './lib/admin.mjs';
import { Browser } from './lib/browser.mjs';
import { loadFacts, pickConnector, pickSecretClient } from './lib/facts.mjs';
import { TOKEN_TYPE, redeem } from './lib/legs.mjs';
import { attempt, check, equal, fail, main } from './lib/report.mjs';
import { alterResponse, startSamlIdp } from './lib/saml-idp.mjs';
import { at, base64url, certificates, signIn } from './lib/saml-sign-in.mjs';
import { exchange, refusedSignIn, removeConnection, target } from './lib/upstream.mjs';

const NAME = 'interop-saml';
const SAML2 = 'urn:ietf:params:oauth:token-type:saml2';
const REFRESH = 'urn:ietf:params:oauth:token-type:refresh_token';
const APP = { entityId: 'https://app.interop.example/saml', acsUrl: 'http://127.0.0.1:9/acs' };

/** The provider as a connection, with what its metadata says. */
async function connection(idp, connector) {
  return {
    name: NAME,
    just_in_time: true,
    link_by: 'username',
    claims: { username: 'eduPersonPrincipalName', email: 'mail', display_name: 'givenName' },
    groups: { claim: 'isMemberOf', names: { engineering: connector.allowed_groups[0] } },
    saml: { entity_id: idp.entityId, sso_url: idp.ssoUrl, certificates: certificates(await idp.metadata()) },
  };
}

/** An assertion for the client's own service provider, cut out of the response that the browser carries. */
async function assertionFor(idp, user) {
  const browser = new Browser();
  let carried;
  alterResponse(browser, (xml) => (carried = xml));
  const start = idp.unsolicited(APP.acsUrl, APP.entityId);
  await browser.walk(start, APP.acsUrl, { username: user.username, password: user.password });
  const found = carried.match(/<(\w+):Assertion[ >][\s\S]*<\/\1:Assertion>/) ?? fail('pysaml2', 'no assertion in the response');
  // Prefixes that the response declares; the signature is over the exclusive canonical form, which has them anyway.
  const declared = [...carried.slice(0, found.index).matchAll(/xmlns:(\w+)="([^"]*)"/g)];
  const missing = declared.filter(([, prefix]) => !found[0].slice(0, found[0].indexOf('>')).includes(`xmlns:${prefix}=`));
  const unique = new Map(missing.map(([whole, prefix]) => [prefix, whole]));
  return found[0].replace(/^<\w+:Assertion/, (open) => `${open} ${[...unique.values()].join(' ')}`);
}

main('saml', async (cleanup) => {
  const facts = loadFacts();
  const connector = pickConnector(facts);
  const client = pickSecretClient(facts);
  const admin = new Admin(facts);
  const idp = await startSamlIdp();
  cleanup(() => idp.stop());
  const spec = await connection(idp, connector);
  cleanup(() => removeConnection(admin, NAME));
  await admin.call('POST', '/apply', { identity_providers: [spec] });

  const metadata = await (await fetch(at(facts, NAME).metadata)).text();
  await idp.trust({ metadata });
  // Persistent names differ for each service provider; the client's own is another than the lab.
  await idp.set({ requireSignedRequests: true, nameId: 'email' });

  await attempt('a person signs in at pysaml2 and the client gets tokens', async () => {
    const answer = await signIn(facts, NAME, client, idp.user('ada'));
    equal(answer.status, 200, 'a code and tokens after the sign-in at pysaml2');
    const [request] = (await idp.requests()).slice(-1);
    check(request.signed, 'our request is signed');
    const subject = { subject_token: answer.body.id_token, subject_token_type: TOKEN_TYPE.idToken };
    const jag = await exchange(facts, client, { ...target(facts, connector), ...subject });
    equal(jag.status, 200, 'the group at pysaml2 decides: an ID-JAG for the connector');
    await redeem(facts, client, { assertion: jag.body.access_token, resource: connector.resource });
  });

  await attempt('a person without the group reaches nothing', async () => {
    await idp.signOut();
    const answer = await signIn(facts, NAME, client, idp.user('cleo'));
    equal(answer.status, 200, 'cleo signs in');
    const subject = { subject_token: answer.body.id_token, subject_token_type: TOKEN_TYPE.idToken };
    const jag = await exchange(facts, client, { ...target(facts, connector), ...subject });
    check(jag.status >= 400, 'without the group policy refuses', `HTTP ${jag.status}`);
  });

  await attempt('an encrypted assertion is read', async () => {
    for (const cipher of ['aes256-gcm', 'aes128-gcm']) {
      await idp.signOut();
      await idp.set({ encrypt: true, cipher });
      equal((await signIn(facts, NAME, client, idp.user('ada'))).status, 200, `an assertion encrypted by ${cipher}`);
    }
    await idp.set({ encrypt: false });
  });

  const refused = async (what, expected, walk) => {
    await idp.signOut();
    await refusedSignIn(admin, what, expected, walk);
  };
  for (const [what, fault, expected] of [
    ['an expired assertion', { shift: -3_600 }, 'saml_expired'],
    ['one from the future', { shift: 3_600 }, 'saml_not_yet_valid'],
    ['one for another audience', { audience: 'https://other.example' }, 'saml_audience'],
    ['one for another recipient', { recipient: 'https://other.example/acs' }, 'saml_recipient'],
    ['an answer to another request', { inResponseTo: '_other' }, 'saml_in_response_to'],
    ['one by another issuer', { issuer: 'https://other.example' }, 'saml_other_issuer'],
    ['one without an audience', { noAudience: true }, 'saml_audience'],
    ['one without a statement', { noAuthnStatement: true }, 'saml_no_authentication'],
    ['a refusal', { status: 'urn:oasis:names:tc:SAML:2.0:status:AuthnFailed' }, 'saml_status'],
    ['one that is not signed', { sign: 'none' }, 'saml_unsigned'],
    ['one signed by another key', { key: 'other' }, 'saml_signature'],
  ]) {
    await attempt(what, async () => {
      await idp.fault(fault);
      await refused(what, expected, () => signIn(facts, NAME, client, idp.user('ada')));
      await idp.well();
    });
  }
  await attempt('a comment within the name', () =>
    refused('a comment within the name', 'saml_markup', () => {
      const browser = new Browser();
      alterResponse(browser, (xml) => xml.replace(/(<\w+:NameID[^>]*>)(\w)/, '$1$2<!-- -->'));
      return signIn(facts, NAME, client, idp.user('ada'), browser);
    }),
  );

  await attempt('an assertion buys a refresh token and that ID-JAGs; once', async () => {
    const path = `/clients/idp/${client.idp.client_id}`;
    const { id, created_at, updated_at, ...document } = await admin.call('GET', path);
    const provider = { entity_id: APP.entityId, acs_urls: [APP.acsUrl] };
    await admin.call('PUT', path, { ...document, saml_service_providers: [provider] });
    await idp.trust(APP);
    await idp.signOut();
    const assertion = await assertionFor(idp, idp.user('ada'));
    const form = { requested_token_type: REFRESH, subject_token: base64url(assertion), subject_token_type: SAML2 };
    const bought = await exchange(facts, client, form);
    equal(bought.status, 200, 'an assertion is exchanged');
    equal(bought.body.issued_token_type, REFRESH, 'a refresh token');
    const subject = { subject_token: bought.body.access_token, subject_token_type: REFRESH };
    const jag = await exchange(facts, client, { ...target(facts, connector), ...subject });
    equal(jag.status, 200, 'the refresh token buys an ID-JAG');
    await redeem(facts, client, { assertion: jag.body.access_token, resource: connector.resource });
    const again = await exchange(facts, client, form);
    equal(again.body.error, 'invalid_grant', 'a second exchange of the same assertion');
  });
});
