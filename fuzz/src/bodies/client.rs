//! How clients say who they are.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lanyard_server::fuzz::basic;

/// An `Authorization` header. What was read as Basic can be written and read again.
pub fn basic_header(data: &[u8]) {
    let Some((client_id, secret)) = basic(data) else { return };
    assert!(
        data.get(..5)
            .is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"basic"))
    );
    let escape = |text: &str| text.bytes().map(|byte| format!("%{byte:02X}")).collect::<String>();
    let pair = format!("{}:{}", escape(&client_id), escape(&secret));
    let again = format!("Basic {}", STANDARD.encode(pair));
    assert_eq!(basic(again.as_bytes()), Some((client_id, secret)));
}
