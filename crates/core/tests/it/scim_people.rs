//! People of a directory and how they sign in (SC-13, SC-20).

use std::sync::Arc;

use lanyard_core::admin::spec::DirectorySpec;
use lanyard_core::id::UserId;
use lanyard_core::outcome::Outcome;
use lanyard_core::scim::document::Document;
use lanyard_core::scim::provisioner::{IfMatch, Provisioner};
use lanyard_core::scim::{directories, user};
use lanyard_core::store::{StoreError, Tx};
use lanyard_core::upstream::connection::LinkBy;
use lanyard_protocol::scim::schema::USERS;
use lanyard_testkit::company::Company;
use serde_json::json;

use crate::ras_world::granted;
use crate::upstream_support::{asserted, company, sign_in};

/// Runs an act of the directory `okta`.
fn act<T: Send + 'static>(
    company: &Company,
    act: impl FnOnce(&Provisioner<'_>, &mut dyn Tx) -> Result<T, StoreError> + Send + 'static,
) -> T {
    let (vault, issuer, admin) = (
        Arc::clone(&company.vault),
        company.idp.issuer.clone(),
        company.admin.clone(),
    );
    company.write(move |cx, tx| {
        let spec = DirectorySpec {
            name: "okta".to_owned(),
            adopt_by_user_name: false,
            strict_paths: false,
            enabled: true,
        };
        let Outcome::Granted((directory, _)) = directories::put(cx, tx, &admin, &spec)? else {
            panic!("the owner makes directories");
        };
        let at = Provisioner {
            cx,
            vault: &vault,
            issuer: &issuer,
            directory: &directory,
        };
        act(&at, tx)
    })
}

fn create(company: &Company, external_id: &str) -> UserId {
    let body = json!({"userName": "mira", "externalId": external_id});
    let document = Document::read(&USERS, body).unwrap();
    granted(act(company, move |at, tx| user::create(at, tx, document)))
        .resource
        .user
        .id
}

#[test]
fn whoever_comes_next_under_the_name_of_a_removed_person_signs_in_as_themselves_sc_13() {
    let company = company(|spec| {
        spec.link_by = LinkBy::Username;
        spec.just_in_time = false;
    });
    let first = create(&company, "00u1");
    let claims = json!({"preferred_username": "mira"});
    let signed_in = granted(sign_in(&company, asserted("sub-1", claims.clone())));
    assert_eq!(signed_in.session.session.user, first);
    let id = first.to_string();
    assert!(granted(act(&company, move |at, tx| user::remove(
        at,
        tx,
        &id,
        &IfMatch::Any
    ))));
    assert!(matches!(
        sign_in(&company, asserted("sub-1", claims.clone())),
        Outcome::Denied(_)
    ));
    let second = create(&company, "00u1");
    let signed_in = granted(sign_in(&company, asserted("sub-1", claims)));
    assert_eq!(signed_in.session.session.user, second);
    assert_ne!(first, second);
}

#[test]
fn an_external_id_leads_to_a_person_in_its_directory_only_sc_20() {
    let company = company(|_| {});
    let mira = create(&company, "00u1");
    let found = act(&company, |at, tx| {
        let own = user::person_of(tx, &at.directory.id, "00u1")?;
        let other = lanyard_core::id::DirectoryId::parse("dir_other").unwrap();
        Ok((own, user::person_of(tx, &other, "00u1")?))
    });
    assert_eq!((found.0.map(|user| user.id), found.1), (Some(mira), None));
}
