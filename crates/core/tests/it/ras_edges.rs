//! What is not a redemption: a lost store, another profile, another server (RAS-JB-13, 21, 22; RAS-AT-07).

use lanyard_core::ras::jwt_bearer::{self, Verification};
use lanyard_core::store::Mode;
use lanyard_jose::algorithm::Algorithm;
use lanyard_jose::jwk::KeySet;
use lanyard_jose::token::{IdJag, Unverified};
use lanyard_jose::verify::{Audience, Expected, VerifyError, verify};
use lanyard_protocol::audience::OneOrMany;

use crate::ras_world::{IDP, RAS, World, request, run};

#[test]
fn without_its_store_the_server_redeems_nothing_ras_jb_13() {
    let world = World::new();
    let (cx, settings, client) = (world.cx(), world.settings.clone(), world.client("agent"));
    let (id_jag, used) = (world.id_jag(|_| ()), Verification::by(&world.trust));
    world.lose_store();
    let end = run(&*world.store, Mode::Write, move |tx| {
        jwt_bearer::redeem(&cx, tx, &settings, &client, &request(None, &[]), &id_jag, &used)
    });
    assert!(
        matches!(end, Err(lanyard_core::store::StoreError::Unavailable)),
        "{end:?}"
    );
}

#[test]
fn only_the_id_jag_profile_is_read_and_no_encrypted_form_ras_jb_21_ras_jb_22() {
    let world = World::new();
    let claims = world.claims();
    // The same claims under the types of other profiles: a workload identity, an ID token, an access token.
    for typ in ["JWT", "wit+jwt", "at+jwt", "client-authentication+jwt"] {
        let text = world.idp_key.sign(typ, &claims).unwrap();
        assert_eq!(
            Unverified::<IdJag>::parse(&text).unwrap_err(),
            VerifyError::Typ,
            "{typ}"
        );
    }
    let text = world.idp_key.sign("oauth-id-jag+jwt", &claims).unwrap();
    let parts: Vec<&str> = text.split('.').collect();
    let encrypted = format!("{}.{}.{}.{}.{}", parts[0], parts[1], parts[2], parts[1], parts[2]);
    assert!(matches!(
        Unverified::<IdJag>::parse(&encrypted).unwrap_err(),
        VerifyError::Malformed(_)
    ));
}

#[test]
fn a_grant_for_another_server_is_not_redeemed_here_ras_at_07() {
    let world = World::new();
    let mut claims = world.claims();
    claims.aud = OneOrMany::One("https://ras-b.example".to_owned());
    let text = world.idp_key.sign("oauth-id-jag+jwt", &claims).unwrap();
    let keys: KeySet = [world.idp_key.public_jwk()].into_iter().collect();
    let expected = Expected {
        issuer: IDP,
        audience: Audience::Sole(RAS),
        now: world.now().seconds(),
        leeway: 30,
        algorithms: &[Algorithm::Es256],
        max_lifetime: None,
    };
    let end = verify(&Unverified::<IdJag>::parse(&text).unwrap(), &keys, &expected);
    assert_eq!(end.unwrap_err(), VerifyError::Audience);
}
