// A realm for Keycloak in its own import format: people in groups, Lanyard as a client by OpenID Connect and as a
// service provider by SAML.
//
//   name      of the realm, `corp` if not given
//   users     people; those of lib/people.mjs if not given; further fields in Keycloak's names, such as `attributes`
//   oidc      Lanyard as a relying party:
//     clientId                `lanyard` if not given; secret is made anew
//     redirectUris            exact redirect URIs, the issuer's callback
//     postLogoutRedirectUris  where RP-initiated logout may go back to
//     backchannelLogoutUrl    where logout tokens go; none are sent if not given
//     attributes              further attributes of the client, in Keycloak's names
//     mappers                 further protocol mappers of the client; `fixedClaim` makes one
//   saml      Lanyard as a service provider; documents and assertions are signed, the name id is persistent:
//     entityId, acsUrl        as in Lanyard's metadata; answers come by HTTP-POST
//     sloUrl                  where logout requests go
//     signingCertificate      base64 DER; then requests must be signed by its key
//     encryptionCertificate   base64 DER; then assertions are encrypted for it
//     idpInitiated            a name: sign-in started at Keycloak, at `${realm.samlEndpoint}/clients/NAME`
//     attributes              further attributes of the client, such as `saml.encryption.algorithm`
//   realm     further settings of the realm; its `clients` stand beside those made here

import { generateKeyPairSync } from 'node:crypto';
import { PEOPLE, person, secret } from './people.mjs';

/** The person in the import format. */
export function userRepresentation({ password, groups, ...user }) {
  return {
    ...user,
    groups: groups.map((group) => `/${group}`),
    credentials: [{ type: 'password', value: password, temporary: false }],
  };
}

function mapper(protocol, name, protocolMapper, config) {
  return { name, protocol, protocolMapper, config };
}

/** A claim with a fixed value in access tokens, or in what stands in their place. */
export function fixedClaim(name, value) {
  return mapper('openid-connect', name, 'oidc-hardcoded-claim-mapper', {
    'claim.name': name,
    'claim.value': value,
    'jsonType.label': 'String',
    'access.token.claim': 'true',
  });
}

const EVERYWHERE = { 'id.token.claim': 'true', 'access.token.claim': 'true', 'userinfo.token.claim': 'true' };

function oidcClient(client, { redirectUris = [], postLogoutRedirectUris = [], backchannelLogoutUrl, attributes, mappers = [] }) {
  return {
    clientId: client.id,
    secret: client.secret,
    protocol: 'openid-connect',
    publicClient: false,
    standardFlowEnabled: true,
    directAccessGrantsEnabled: false,
    frontchannelLogout: false,
    redirectUris,
    attributes: {
      'pkce.code.challenge.method': 'S256',
      'post.logout.redirect.uris': postLogoutRedirectUris.join('##'),
      ...(backchannelLogoutUrl && {
        'backchannel.logout.url': backchannelLogoutUrl,
        'backchannel.logout.session.required': 'true',
      }),
      ...attributes,
    },
    protocolMappers: [
      mapper('openid-connect', 'groups', 'oidc-group-membership-mapper', {
        'claim.name': 'groups',
        'full.path': 'false',
        ...EVERYWHERE,
      }),
      ...mappers,
    ],
  };
}

function samlClient({ entityId, acsUrl, sloUrl, signingCertificate, encryptionCertificate, idpInitiated, attributes }) {
  const named = (name, format, property) =>
    mapper('saml', name, 'saml-user-property-mapper', {
      'attribute.name': name,
      'attribute.nameformat': 'Basic',
      'user.attribute': property,
    });
  return {
    clientId: entityId,
    protocol: 'saml',
    frontchannelLogout: true,
    redirectUris: [acsUrl],
    // Without the scope `role_list`, which would name every role of the person.
    defaultClientScopes: [],
    attributes: {
      'saml_assertion_consumer_url_post': acsUrl,
      ...(sloUrl && { saml_single_logout_service_url_post: sloUrl, saml_single_logout_service_url_redirect: sloUrl }),
      'saml.force.post.binding': 'true',
      'saml.server.signature': 'true',
      'saml.assertion.signature': 'true',
      'saml.signature.algorithm': 'RSA_SHA256',
      'saml.authnstatement': 'true',
      'saml_name_id_format': 'persistent',
      'saml_force_name_id_format': 'true',
      'saml.client.signature': String(signingCertificate !== undefined),
      ...(signingCertificate && { 'saml.signing.certificate': signingCertificate }),
      'saml.encrypt': String(encryptionCertificate !== undefined),
      ...(encryptionCertificate && { 'saml.encryption.certificate': encryptionCertificate }),
      ...(idpInitiated && { saml_idp_initiated_sso_url_name: idpInitiated }),
      ...attributes,
    },
    protocolMappers: [
      mapper('saml', 'groups', 'saml-group-membership-mapper', {
        'attribute.name': 'groups',
        'attribute.nameformat': 'Basic',
        'full.path': 'false',
        single: 'true',
      }),
      named('email', 'Basic', 'email'),
      named('givenName', 'Basic', 'firstName'),
      named('surname', 'Basic', 'lastName'),
    ],
  };
}

// Keys are made here: Keycloak itself needs ten seconds for them on the compiler it starts fastest with.
function rsaKey(providerId, algorithm, priority) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
  const config = { privateKey: [pem], algorithm: [algorithm], priority: [String(priority)] };
  return { name: `${algorithm}-${priority}`, providerId, config };
}

/** A key provider that signs with a new key; the highest priority of its algorithm wins. */
export function signingKey(algorithm, priority) {
  if (!algorithm.startsWith('ES')) return rsaKey('rsa', algorithm, priority);
  const config = { ecdsaEllipticCurveKey: [`P-${algorithm.slice(2)}`], priority: [String(priority)] };
  return { name: `${algorithm}-${priority}`, providerId: 'ecdsa-generated', config };
}

function keys(signing) {
  const symmetric = (providerId, algorithm) => ({
    name: providerId,
    providerId,
    config: { priority: ['100'], ...(algorithm && { algorithm: [algorithm] }) },
  });
  return {
    'org.keycloak.keys.KeyProvider': [
      signing,
      rsaKey('rsa-enc', 'RSA-OAEP', 100),
      symmetric('hmac-generated', 'HS512'),
      symmetric('aes-generated'),
    ],
  };
}

/** The representation to import, and what a test must know of it: people with passwords, the client's secret. */
export function realmOf({ name = 'corp', users: given = PEOPLE, oidc, saml, realm } = {}) {
  const users = given.map(person);
  const client = oidc && { id: oidc.clientId ?? 'lanyard', secret: secret() };
  const clients = [];
  if (oidc) clients.push(oidcClient(client, oidc));
  if (saml) clients.push(samlClient(saml));
  const groups = [...new Set(users.flatMap((user) => user.groups))].map((group) => ({ name: group }));
  const signing = signingKey('RS256', 100);
  const representation = {
    realm: name,
    enabled: true,
    // Loopback is plain http.
    sslRequired: 'none',
    // Passwords of one test, hashed at the cost of one.
    passwordPolicy: 'hashAlgorithm(pbkdf2-sha256) and hashIterations(1)',
    components: keys(signing),
    groups,
    users: users.map(userRepresentation),
    ...realm,
    clients: [...clients, ...(realm?.clients ?? [])],
  };
  return { representation, users, client, privateKey: signing.config.privateKey[0] };
}
