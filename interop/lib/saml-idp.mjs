// PyPI pysaml2 as a SAML identity provider on loopback (lib/saml_idp.py; it signs and encrypts by Debian's xmlsec1).
//
//   const idp = await startSamlIdp({ settings: { encrypt: true } });
//   cleanup(() => idp.stop());
//   idp.entityId, idp.metadataUrl, await idp.metadata()            // what Lanyard imports
//   await idp.trust({ metadata: xml });                            // Lanyard's own metadata, as an administrator imports it
//   await idp.trust({ entityId, acsUrl, signingCertificate, encryptionCertificate });       // or by hand, base64 DER
//   idp.user('ada')                                                // { username, password, id, email, groups, … }
//   await idp.change('ada', { groups: ['finance'] });              // also `enabled`, `email`
//
// It answers requests by redirect and by post at `/sso` with a form for user name and password, keeps a session of its
// own, honours ForceAuthn, and posts the response. Attributes come by their OIDs: mail, givenName, sn, isMemberOf (the
// groups), eduPersonPrincipalName. `idp.unsolicited(acsUrl, entityId)` is a URL where sign-in starts without a request.
//
// Settings, by `options.settings` or `await idp.set({ … })`:
//   sign                   `both` if not given, `assertion` or `response`
//   encrypt                the assertion is encrypted, where the metadata has a certificate for it
//   cipher                 `aes256-gcm` if not given, `aes128-gcm`, `aes256-cbc` or `tripledes-cbc`; the key by RSA-OAEP
//   nameId                 `persistent` if not given, `email` or `transient`
//   classRef               the authentication context; PasswordProtectedTransport if not given
//   signAlg, digestAlg     URIs
//   requireSignedRequests  unsigned requests are refused
//
// Faults, by `await idp.fault({ … })`, taken back by `await idp.well()`. All of them are signed by the right key:
//   shift: -3_600                     every time of the assertion moves by seconds: expired, or not yet valid
//   audience, recipient, destination, inResponseTo, issuer, responseIssuer, nameId         another value
//   noAudience, noAuthnStatement      left out
//   assertionId: '_one'               the same id every time, a replay in a new response
//   status: 'urn:oasis:names:tc:SAML:2.0:status:AuthnFailed'           a refusal
// and two that are not: sign: 'none', and key: 'other', a key the metadata does not have.
//
// What an attacker does to a response on its way is done in the browser, which carries it:
//   alterResponse(browser, (xml) => xml.replace('ada', 'ada<!-- -->x'));
//
//   await idp.requests()              // what arrived: id, issuer, binding, signed, acsUrl, forceAuthn, relayState, …
//   await idp.signOut();              // forgets who is signed in
//   await idp.rotateKeys();           // another key signs and stands in the metadata

import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { PEOPLE, person } from './people.mjs';
import { start, until } from './process.mjs';
import { fail } from './report.mjs';

/** Starts the identity provider on a free port. */
export async function startSamlIdp({ users = PEOPLE, settings = {} } = {}) {
  const python = process.env.LANYARD_INTEROP_PYTHON ?? fail('pysaml2', 'start this by interop/run');
  const file = fileURLToPath(new URL('./saml_idp.py', import.meta.url));
  // Its standard input stays open as long as this program lives, and no longer.
  const program = start(python, [file], { stdin: 'pipe', env: { PYTHONDONTWRITEBYTECODE: '1' } });
  const url = await until('pysaml2', program, () => JSON.parse(program.tail().split('\n').at(-1)).url);
  const idp = new SamlIdp(url, program, users.map((given) => ({ id: randomUUID(), ...person(given) })));
  await idp.set(settings);
  return idp;
}

/** Metadata of a service provider with what is given. */
export function serviceProviderMetadata({ entityId, acsUrl, signingCertificate, encryptionCertificate }) {
  const key = (use, certificate) =>
    certificate
      ? `<KeyDescriptor use="${use}"><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data>` +
        `<ds:X509Certificate>${certificate}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></KeyDescriptor>`
      : '';
  return (
    `<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="${entityId}">` +
    '<SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol" ' +
    `AuthnRequestsSigned="${signingCertificate !== undefined}" WantAssertionsSigned="true">` +
    key('signing', signingCertificate) +
    key('encryption', encryptionCertificate) +
    '<AssertionConsumerService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" ' +
    `Location="${acsUrl}" index="0" isDefault="true"/></SPSSODescriptor></EntityDescriptor>`
  );
}

/** Lets `change` rewrite the XML of every response that the browser carries. */
export function alterResponse(browser, change) {
  browser.alter = (body) => {
    const response = body.get('SAMLResponse');
    if (response) body.set('SAMLResponse', Buffer.from(change(Buffer.from(response, 'base64').toString())).toString('base64'));
    return body;
  };
}

class SamlIdp {
  #url;
  #program;
  #users;
  #settings = {};

  constructor(url, program, users) {
    this.#url = url;
    this.#program = program;
    this.#users = users;
    this.entityId = `${url}/metadata`;
    this.metadataUrl = `${url}/metadata`;
    this.ssoUrl = `${url}/sso`;
  }

  async stop() {
    await this.#program.stop();
  }

  async #control(change) {
    const response = await fetch(`${this.#url}/control`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(change),
    });
    if (!response.ok) fail('pysaml2', `HTTP ${response.status}: ${this.#program.tail().slice(-600)}`);
    return response.json();
  }

  user(username) {
    return this.#users.find((u) => u.username === username) ?? fail('pysaml2', `no person ${username}`);
  }

  async change(username, change) {
    Object.assign(this.user(username), change);
    await this.set({});
  }

  async set(settings) {
    this.#settings = { ...this.#settings, ...settings };
    await this.#control({ settings: this.#settings, users: this.#users });
  }

  async trust(given) {
    await this.#control({ sp: given.metadata ?? serviceProviderMetadata(given) });
  }

  async metadata() {
    const response = await fetch(this.metadataUrl);
    if (!response.ok) fail('pysaml2', `metadata: HTTP ${response.status}: ${this.#program.tail().slice(-600)}`);
    return response.text();
  }

  unsolicited(acsUrl, entityId, relayState) {
    const url = new URL(`${this.#url}/unsolicited`);
    url.searchParams.set('acs', acsUrl);
    url.searchParams.set('sp', entityId);
    if (relayState) url.searchParams.set('RelayState', relayState);
    return url;
  }

  async fault(faults) {
    await this.#control({ faults });
  }

  async well() {
    await this.#control({ faults: {} });
  }

  async requests() {
    return (await this.#control({})).requests;
  }

  async signIns() {
    return (await this.#control({})).signIns;
  }

  async signOut() {
    await this.#control({ signOut: true });
  }

  async rotateKeys() {
    await this.#control({ rotate: true });
  }
}
