//! An authenticator made of code: the other half of WebAuthn, honest or not.

use lanyard_jose::digest::{base64url, from_base64url, sha256};
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{Signature, SigningKey};
use serde_json::{Value, json};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const WITH_KEY: u8 = 0x40;

/// One passkey on one device. A test changes what it lies about.
#[derive(Clone)]
pub(crate) struct Authenticator {
    key: SigningKey,
    credential: Vec<u8>,
    /// What it remembers of its person.
    pub(crate) handle: Option<String>,
    pub(crate) counter: u32,
    pub(crate) origin: String,
    pub(crate) verifies: bool,
}

impl Authenticator {
    pub(crate) fn new(n: u8, origin: &str) -> Self {
        Self {
            key: SigningKey::from_slice(&[n; 32]).unwrap(),
            credential: vec![n; 32],
            handle: None,
            counter: 0,
            origin: origin.to_owned(),
            verifies: true,
        }
    }

    fn host(&self) -> String {
        url::Url::parse(&self.origin).unwrap().host_str().unwrap().to_owned()
    }

    fn flags(&self) -> u8 {
        if self.verifies { PRESENT | VERIFIED } else { PRESENT }
    }

    fn data(&mut self, flags: u8) -> Vec<u8> {
        self.counter += 1;
        let mut data = sha256(self.host().as_bytes()).to_vec();
        data.push(flags);
        data.extend_from_slice(&self.counter.to_be_bytes());
        data
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = options["publicKey"]["challenge"].as_str().unwrap();
        let data = json!({"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false});
        data.to_string().into_bytes()
    }

    /// What a browser sends after `navigator.credentials.create`.
    pub(crate) fn create(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        self.handle = Some(options["publicKey"]["user"]["id"].as_str().unwrap().to_owned());
        let client_data = self.client_data("webauthn.create", &options);
        let mut data = self.data(self.flags() | WITH_KEY);
        data.extend_from_slice(&[0; 16]);
        data.extend_from_slice(&u16::try_from(self.credential.len()).unwrap().to_be_bytes());
        data.extend_from_slice(&self.credential);
        let point = self.key.verifying_key().to_sec1_point(false);
        // A COSE key (RFC 9053): EC2, ES256, P-256, x, y.
        data.extend_from_slice(&[0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 0x20]);
        data.extend_from_slice(&point.as_bytes()[1..33]);
        data.extend_from_slice(&[0x22, 0x58, 0x20]);
        data.extend_from_slice(&point.as_bytes()[33..65]);
        let mut object = vec![0xa3, 0x63];
        object.extend_from_slice(b"fmt\x64none\x67attStmt\xa0\x68authData\x58");
        object.push(u8::try_from(data.len()).unwrap());
        object.extend_from_slice(&data);
        let response = json!({
            "clientDataJSON": base64url(&client_data),
            "attestationObject": base64url(&object),
        });
        self.answer(response)
    }

    /// What a browser sends after `navigator.credentials.get`.
    pub(crate) fn get(&mut self, options: &str) -> String {
        let options: Value = serde_json::from_str(options).unwrap();
        let client_data = self.client_data("webauthn.get", &options);
        let data = self.data(self.flags());
        let signed = [data.as_slice(), sha256(&client_data).as_slice()].concat();
        let signature: Signature = self.key.sign(&signed);
        let response = json!({
            "clientDataJSON": base64url(&client_data),
            "authenticatorData": base64url(&data),
            "signature": base64url(signature.to_der().as_bytes()),
            "userHandle": self.handle,
        });
        self.answer(response)
    }

    fn answer(&self, response: Value) -> String {
        let id = base64url(&self.credential);
        json!({"id": id, "rawId": id, "type": "public-key", "extensions": {}, "response": response}).to_string()
    }
}

/// An answer with one byte of its signature changed.
pub(crate) fn spoiled(answer: &str) -> String {
    let mut answer: Value = serde_json::from_str(answer).unwrap();
    let mut signature = from_base64url(answer["response"]["signature"].as_str().unwrap()).unwrap();
    *signature.last_mut().unwrap() ^= 1;
    answer["response"]["signature"] = base64url(&signature).into();
    answer.to_string()
}
