//! Messages in the query of a redirect (SAML Bindings, section 3.4).
//!
//! Owns compression, the order of the parameters and the signature over them. What is verified is the query as it was
//! sent, byte for byte, never one that was put together again.

use lanyard_core::saml::defect::Defect;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::key::{SignError, SigningKey};
use lanyard_protocol::form::{self, Form};
use miniz_oxide::deflate::compress_to_vec;
use miniz_oxide::inflate::decompress_to_vec_with_limit;

use super::certificate::Certificate;
use super::encoding;
use super::text::MAX_BYTES;

const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";

/// Which of the two parameters carries a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carrier {
    /// `SAMLRequest`.
    Request,
    /// `SAMLResponse`.
    Response,
}

impl Carrier {
    /// The parameter's name.
    pub const fn parameter(self) -> &'static str {
        match self {
            Self::Request => "SAMLRequest",
            Self::Response => "SAMLResponse",
        }
    }
}

/// The address of a redirect that carries a message, signed with `key` when there is one.
///
/// # Errors
/// [`SignError`] when the backend fails, or for a key of another kind than RSA or P-256.
pub fn address(
    endpoint: &str,
    carrier: Carrier,
    message: &str,
    relay_state: Option<&str>,
    key: Option<&SigningKey>,
) -> Result<String, SignError> {
    let packed = encoding::encode(&compress_to_vec(message.as_bytes(), 6));
    let mut query = format!("{}={}", carrier.parameter(), form::encode(&packed));
    if let Some(state) = relay_state {
        query.push_str("&RelayState=");
        query.push_str(&form::encode(state));
    }
    if let Some(key) = key {
        let algorithm = match key.algorithm() {
            Algorithm::Rs256 => RSA_SHA256,
            Algorithm::Es256 => ECDSA_SHA256,
            Algorithm::Es384 | Algorithm::EdDsa | Algorithm::Ps256 => return Err(SignError),
        };
        query.push_str("&SigAlg=");
        query.push_str(&form::encode(algorithm));
        let signature = key.sign_detached(query.as_bytes())?;
        query.push_str("&Signature=");
        query.push_str(&form::encode(&encoding::encode(&signature)));
    }
    let separator = if endpoint.contains('?') { '&' } else { '?' };
    Ok(format!("{endpoint}{separator}{query}"))
}

/// A message that came in a query.
#[derive(Debug, Clone)]
pub struct Received {
    /// Its bytes.
    pub message: Vec<u8>,
    /// What came along.
    pub relay_state: Option<String>,
    signed: Option<Signed>,
}

#[derive(Debug, Clone)]
struct Signed {
    octets: String,
    algorithm: String,
    signature: Vec<u8>,
}

impl Received {
    /// Reads the query of a request, as it stood in the address.
    ///
    /// # Errors
    /// [`Defect::Encoding`], [`Defect::TooLarge`]; [`Defect::Shape`] when a parameter stands twice.
    pub fn parse(query: &str, carrier: Carrier) -> Result<Self, Defect> {
        let form = Form::parse(query.as_bytes()).map_err(|_| Defect::Encoding("the query cannot be read"))?;
        let once = |name: &'static str| {
            form.once(name)
                .map(|value| value.map(str::to_owned))
                .map_err(|_| Defect::Shape("a parameter stands twice"))
        };
        if once("SAMLEncoding")?
            .is_some_and(|encoding| encoding != "urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE")
        {
            return Err(Defect::Encoding("not DEFLATE"));
        }
        let packed = once(carrier.parameter())?.ok_or(Defect::Value("the message"))?;
        let packed = encoding::decode(&packed).ok_or(Defect::Encoding("not base64"))?;
        let message = decompress_to_vec_with_limit(&packed, MAX_BYTES).map_err(|_| Defect::Encoding("not DEFLATE"))?;
        let signed = match (once("SigAlg")?, once("Signature")?) {
            (Some(algorithm), Some(signature)) => Some(Signed {
                octets: octets(query, carrier),
                algorithm,
                signature: encoding::decode(&signature).ok_or(Defect::Encoding("the signature is not base64"))?,
            }),
            _ => None,
        };
        Ok(Self {
            message,
            relay_state: once("RelayState")?,
            signed,
        })
    }

    /// Checks the signature over the query against pinned certificates.
    ///
    /// # Errors
    /// [`Defect::Unsigned`], [`Defect::Signature`].
    pub fn verify(&self, certificates: &[Certificate]) -> Result<(), Defect> {
        let signed = self.signed.as_ref().ok_or(Defect::Unsigned("message"))?;
        let fits = certificates
            .iter()
            .any(|own| own.verifies(&signed.algorithm, signed.octets.as_bytes(), &signed.signature));
        if fits {
            Ok(())
        } else {
            Err(Defect::Signature("message"))
        }
    }
}

/// What is signed: three parameters in their order, each as it was sent (SAML Bindings, section 3.4.4.1).
fn octets(query: &str, carrier: Carrier) -> String {
    let raw = |name: &str| {
        query
            .split('&')
            .find(|part| part.split('=').next() == Some(name))
            .map(str::to_owned)
    };
    [carrier.parameter(), "RelayState", "SigAlg"]
        .into_iter()
        .filter_map(raw)
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use lanyard_core::clock::Timestamp;

    use super::*;

    fn key() -> (SigningKey, Certificate) {
        let key = SigningKey::generate(Algorithm::Es256).unwrap();
        let certificate = Certificate::self_signed(&key, Timestamp::from_seconds(1_700_000_000)).unwrap();
        (key, certificate)
    }

    fn query(address: &str) -> &str {
        address.split_once('?').unwrap().1
    }

    #[test]
    fn a_signed_query_reads_back_and_verifies_as_sent() {
        let (key, certificate) = key();
        let address = address(
            "https://idp.example/sso",
            Carrier::Request,
            "<a/>",
            Some("r&s "),
            Some(&key),
        )
        .unwrap();
        let received = Received::parse(query(&address), Carrier::Request).unwrap();
        assert_eq!(received.message, b"<a/>");
        assert_eq!(received.relay_state.as_deref(), Some("r&s "));
        assert_eq!(received.verify(std::slice::from_ref(&certificate)), Ok(()));
        assert_eq!(received.verify(&[]), Err(Defect::Signature("message")));

        // Another state under the same signature, and the same in another writing.
        for (from, to) in [("r%26s", "r%26t"), ("r%26s", "%72%26s")] {
            let altered = query(&address).replace(from, to);
            let received = Received::parse(&altered, Carrier::Request).unwrap();
            assert_eq!(
                received.verify(std::slice::from_ref(&certificate)),
                Err(Defect::Signature("message")),
                "{to}"
            );
        }
    }

    #[test]
    fn a_second_parameter_and_a_missing_signature_are_refused() {
        let (key, certificate) = key();
        let address = address("https://idp.example/?x=y", Carrier::Response, "<a/>", None, Some(&key)).unwrap();
        let sent = query(&address).strip_prefix("x=y&").unwrap();
        for twice in ["SAMLResponse=x", "RelayState=a&RelayState=b", "SigAlg=x", "Signature=x"] {
            assert_eq!(
                Received::parse(&format!("{sent}&{twice}"), Carrier::Response).unwrap_err(),
                Defect::Shape("a parameter stands twice"),
                "{twice}"
            );
        }
        let (unsigned, _) = sent.split_once("&SigAlg").unwrap();
        let received = Received::parse(unsigned, Carrier::Response).unwrap();
        assert_eq!(received.verify(&[certificate]), Err(Defect::Unsigned("message")));
    }

    #[test]
    fn a_bomb_is_not_unpacked_sec_22() {
        let bomb = encoding::encode(&compress_to_vec(&vec![b' '; 4 * MAX_BYTES], 9));
        let query = format!("SAMLRequest={}", form::encode(&bomb));
        assert_eq!(
            Received::parse(&query, Carrier::Request).unwrap_err(),
            Defect::Encoding("not DEFLATE")
        );
    }
}
