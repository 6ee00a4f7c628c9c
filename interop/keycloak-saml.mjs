// Keycloak as the corporate identity provider of a lab, by SAML: signed requests, assertions signed and encrypted, its
// groups decide which connector a person reaches, who is switched off there gets in no more, and its changed key counts
// only once it was imported.

import { Admin } from './lib/admin.mjs';
import { loadFacts, pickConnector, pickSecretClient } from './lib/facts.mjs';
import { attachKeycloak } from './lib/keycloak.mjs';
import { TOKEN_TYPE, redeem } from './lib/legs.mjs';
import { attempt, check, equal, main } from './lib/report.mjs';
import { at, certificates, signIn } from './lib/saml-sign-in.mjs';
import { exchange, refusedSignIn, removeConnection, target } from './lib/upstream.mjs';

const NAME = 'keycloak-saml';

const textOf = async (url) => (await fetch(url)).text();

/** The realm as a connection, with what its metadata says now. */
async function connection(realm, connector) {
  return {
    name: NAME,
    preset: 'keycloak',
    just_in_time: true,
    link_by: 'username',
    claims: { username: 'email', email: 'email', display_name: 'givenName' },
    groups: { claim: 'groups', names: { engineering: connector.allowed_groups[0] } },
    saml: {
      entity_id: realm.issuer,
      sso_url: realm.samlEndpoint,
      slo_url: realm.samlEndpoint,
      certificates: certificates(await textOf(realm.samlMetadata)),
    },
  };
}

main('keycloak-saml', async (cleanup) => {
  const facts = loadFacts();
  const connector = pickConnector(facts);
  const client = pickSecretClient(facts);
  const admin = new Admin(facts);
  const keycloak = attachKeycloak(process.argv[3]);
  cleanup(() => keycloak.stop());
  const own = at(facts, NAME);

  cleanup(() => removeConnection(admin, NAME));
  // The realm is made twice: our metadata needs a connection, and the connection the realm.
  const first = await keycloak.createRealm({ name: 'saml', saml: { entityId: own.metadata, acsUrl: own.acs } });
  await admin.call('POST', '/apply', { identity_providers: [await connection(first, connector)] });
  const [certificate] = certificates(await textOf(own.metadata));
  await first.remove();
  const realm = await keycloak.createRealm({
    name: 'saml',
    saml: {
      entityId: own.metadata,
      acsUrl: own.acs,
      sloUrl: own.slo,
      signingCertificate: certificate,
      encryptionCertificate: certificate,
      attributes: {
        'saml.encryption.algorithm': 'http://www.w3.org/2009/xmlenc11#aes256-gcm',
        'saml.encryption.keyAlgorithm': 'http://www.w3.org/2009/xmlenc11#rsa-oaep',
        'saml.encryption.digestMethod': 'http://www.w3.org/2001/04/xmlenc#sha256',
        'saml.encryption.maskGenerationFunction': 'http://www.w3.org/2009/xmlenc11#mgf1sha256',
      },
    },
  });
  cleanup(() => realm.remove());
  const spec = await connection(realm, connector);
  await admin.call('POST', '/apply', { identity_providers: [spec] });

  const reach = async (tokens) => {
    const subject = { subject_token: tokens.id_token, subject_token_type: TOKEN_TYPE.idToken };
    return exchange(facts, client, { ...target(facts, connector), ...subject });
  };

  await attempt('a person of Keycloak signs in', async () => {
    const answer = await signIn(facts, NAME, client, realm.user('ada'));
    equal(answer.status, 200, 'a signed request, an encrypted assertion, and tokens');
    const jag = await reach(answer.body);
    equal(jag.status, 200, 'the group at Keycloak decides: an ID-JAG for the connector');
    await redeem(facts, client, { assertion: jag.body.access_token, resource: connector.resource });
  });

  await attempt('a person without the group', async () => {
    const answer = await signIn(facts, NAME, client, realm.user('cleo'));
    equal(answer.status, 200, 'cleo signs in');
    const jag = await reach(answer.body);
    check(jag.status >= 400, 'without the group policy refuses', `HTTP ${jag.status}`);
  });

  await attempt('who leaves the group there', async () => {
    equal((await reach((await signIn(facts, NAME, client, realm.user('ben'))).body)).status, 200, 'ben is in the group');
    await realm.leave('ben', 'engineering');
    const answer = await signIn(facts, NAME, client, realm.user('ben'));
    const jag = await reach(answer.body);
    check(jag.status >= 400, 'reaches nothing after the next sign-in', `HTTP ${jag.status}`);
    await realm.join('ben', 'engineering');
  });

  await attempt('a key that Keycloak changed', async () => {
    await realm.rotateKeys();
    await refusedSignIn(admin, 'an assertion by a key that was not imported', 'saml_signature', () =>
      signIn(facts, NAME, client, realm.user('ada')),
    );
    await admin.call('POST', '/apply', { identity_providers: [await connection(realm, connector)] });
    equal((await signIn(facts, NAME, client, realm.user('ada'))).status, 200, 'once imported, it counts');
  });
});
