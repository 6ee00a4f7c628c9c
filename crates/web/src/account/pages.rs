//! `GET …/account…`: what the pages of the account show.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use http::StatusCode;
use http::request::Parts;
use lanyard_core::account::programs::Programs;
use lanyard_core::account::{Own, programs, sessions as own_sessions};
use lanyard_core::cx::Cx;
use lanyard_core::directory::factor::Factors;
use lanyard_core::directory::put::group_names;
use lanyard_core::idp::session;
use lanyard_core::session::form_token;
use lanyard_core::session::record::Session;
use lanyard_core::session::strength::Strength;
use lanyard_core::store::{StoreError, StoreExt, Tx};
use lanyard_core::upstream::connection::Connection;
use lanyard_protocol::form::Form;
use secrecy::SecretString;

use crate::account::Room;
use crate::account::view::{
    Frame, PasskeyView, ProfilePage, ProgramView, ProgramsPage, SecurityPage, SessionView, SessionsPage, When,
};
use crate::passkeys::{self, Use};
use crate::sign_in::SignIn;
use crate::sign_in::choose::{CHOOSE, Visit};
use crate::sign_in::purpose::Purpose;

/// Whoever looks at their account.
pub(super) struct Visitor {
    pub(super) cx: Cx,
    pub(super) parts: Parts,
    pub(super) session: Session,
    pub(super) own: Own,
    /// What forms of this browser are bound to, and whether the browser must be given it.
    pub(super) bound: SecretString,
    pub(super) fresh_bound: bool,
}

/// What a page says about the act before it.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Said<'a> {
    pub(super) notice: Option<&'a str>,
    pub(super) problem: Option<&'a str>,
}

pub(super) async fn profile(own: State<Arc<SignIn>>, request: Request) -> Response {
    show(own, request, Room::Profile).await
}

pub(super) async fn security(own: State<Arc<SignIn>>, request: Request) -> Response {
    show(own, request, Room::Security).await
}

pub(super) async fn sessions(own: State<Arc<SignIn>>, request: Request) -> Response {
    show(own, request, Room::Sessions).await
}

pub(super) async fn programs(own: State<Arc<SignIn>>, request: Request) -> Response {
    show(own, request, Room::Programs).await
}

async fn show(State(own): State<Arc<SignIn>>, request: Request, room: Room) -> Response {
    let (parts, _) = request.into_parts();
    let done = Form::parse(parts.uri.query().unwrap_or_default().as_bytes()).ok();
    let done = done.and_then(|form| form.once("done").ok().flatten().and_then(notice));
    match own.visitor(parts, room).await {
        Ok(visitor) => {
            let said = Said {
                notice: done,
                problem: None,
            };
            own.show_room(&visitor, room, StatusCode::OK, said).await
        }
        Err(response) => *response,
    }
}

/// What a page says after an act: a word of ours in the address, never a text of somebody else.
fn notice(done: &str) -> Option<&'static str> {
    Some(match done {
        "profile" => "Your profile is changed.",
        "confirmed" => "Thank you. You can make changes for five minutes.",
        "password" => "Your password is changed. All other browsers are signed out.",
        "app" => "The app is removed.",
        "passkey" => "The passkey is added.",
        "passkey-name" => "The passkey has a new name.",
        "passkey-removed" => "The passkey is removed.",
        "session" => "That browser is signed out.",
        "sessions" => "All other browsers are signed out.",
        "program" => "That program cannot act for you any more.",
        "welcome" => "Welcome. Your account is ready; add a passkey now, so that a password alone never opens it.",
        _ => return None,
    })
}

impl SignIn {
    /// The person of this browser, or the page that signs them in.
    pub(super) async fn visitor(&self, parts: Parts, room: Room) -> Result<Visitor, Box<Response>> {
        let cx = self.cx(&parts);
        let (session, user) = match self.session(&cx, &parts).await {
            Ok(Some(found)) => found,
            Ok(None) => {
                let carried = Purpose::carry(room);
                let purpose = Purpose::Account(room);
                let choice = Form::parse(parts.uri.query().unwrap_or_default().as_bytes()).unwrap_or_default();
                let carried = match choice.once(CHOOSE).ok().flatten() {
                    Some(choice) => carried.with(CHOOSE, choice),
                    None => carried,
                };
                let visit = Visit {
                    cx: &cx,
                    parts: &parts,
                    form: &carried,
                    purpose: &purpose,
                    username: "",
                    domain: None,
                    last: None,
                };
                return Err(Box::new(self.offer(&visit).await));
            }
            Err(error) => return Err(Box::new(self.failure(&cx, &error))),
        };
        let (own_cx, of) = (cx.clone(), session.clone());
        let touch = session::needs_touch(&session, cx.now);
        let unit = move |tx: &mut dyn Tx| {
            if touch {
                session::touch(&own_cx, tx, &of)?;
            }
            Own::of_session(&own_cx, tx, &of, user)
        };
        let own = if touch {
            self.deps.store.write(unit).await
        } else {
            self.deps.store.read(unit).await
        };
        let own = own.map_err(|error| Box::new(self.failure(&cx, &error)))?;
        let (bound, fresh_bound) = self.bound(&cx, &parts);
        Ok(Visitor {
            cx,
            parts,
            session,
            own,
            bound,
            fresh_bound,
        })
    }

    /// A page of the account.
    pub(super) async fn show_room(
        &self,
        visitor: &Visitor,
        room: Room,
        status: StatusCode,
        said: Said<'_>,
    ) -> Response {
        let shown = match room {
            Room::Profile => self.show_profile(visitor, status, said).await,
            Room::Security => self.show_security(visitor, status, said).await,
            Room::Sessions => self.show_sessions(visitor, status, said).await,
            Room::Programs => self.show_programs(visitor, status, said).await,
        };
        match shown {
            Ok(mut response) => {
                if visitor.fresh_bound {
                    self.cookies.set_form(response.headers_mut(), &visitor.bound);
                }
                response
            }
            Err(error) => self.failure(&visitor.cx, &error),
        }
    }

    pub(super) fn frame<'a>(&'a self, visitor: &'a Visitor, room: Room, token: &'a str, said: Said<'a>) -> Frame<'a> {
        Frame {
            room,
            base: &self.base,
            person: &visitor.own.user.display_name,
            username: &visitor.own.user.username,
            form_token: token,
            notice: said.notice,
            problem: said.problem,
        }
    }

    async fn show_profile(
        &self,
        visitor: &Visitor,
        status: StatusCode,
        said: Said<'_>,
    ) -> Result<Response, StoreError> {
        let id = visitor.own.user.id.clone();
        let groups = self.deps.store.read(move |tx| group_names(tx, &id)).await?;
        let token = form_token::of(&visitor.bound);
        let page = ProfilePage {
            page: &self.page,
            frame: self.frame(visitor, Room::Profile, &token, said),
            username: &visitor.own.user.username,
            display_name: &visitor.own.user.display_name,
            email: visitor.own.user.email.as_deref().unwrap_or_default(),
            groups: &groups,
            editable: self.deps.settings.people.profile_editable && visitor.own.local,
            fresh: visitor.own.fresh,
        };
        Ok(self.page.answer(status, &page, None))
    }

    async fn show_security(
        &self,
        visitor: &Visitor,
        status: StatusCode,
        said: Said<'_>,
    ) -> Result<Response, StoreError> {
        let id = visitor.own.user.id.clone();
        let read = self
            .deps
            .store
            .read(move |tx| Ok((Factors::of(tx, &id)?, tx.find_credential(&id)?.is_some())));
        let (factors, has_password) = read.await?;
        let own = &visitor.own;
        let (site, vault) = (self.passkeys.as_deref(), &self.deps.vault);
        let (cx, bound, has) = (&visitor.cx, &visitor.bound, factors.passkeys.as_slice());
        let new_passkey = (own.local && own.fresh)
            .then(|| passkeys::ask_new(cx, site, vault, bound, &own.user, has))
            .flatten();
        let proof = (own.local && !own.fresh && !has.is_empty())
            .then(|| passkeys::ask(cx, site, vault, bound, Use::Confirm, has))
            .flatten();
        let token = form_token::of(bound);
        let page = SecurityPage {
            page: &self.page,
            frame: self.frame(visitor, Room::Security, &token, said),
            local: own.local,
            has_password,
            fresh: own.fresh,
            min_length: self.deps.settings.people.passwords.min_length,
            app_since: factors.app_since.map(When::from),
            codes: factors.recovery_codes,
            has_second: factors.has_second(),
            passkeys: factors
                .passkeys
                .iter()
                .map(|passkey| PasskeyView {
                    id: passkey.id.to_string(),
                    name: passkey.name.clone(),
                    added: passkey.created_at.into(),
                    used: passkey.last_used_at.map(When::from),
                })
                .collect(),
            can_have_passkeys: site.is_some(),
            new_passkey: new_passkey.as_ref(),
            proof: proof.as_ref(),
        };
        Ok(self.page.answer(status, &page, None))
    }

    async fn show_sessions(
        &self,
        visitor: &Visitor,
        status: StatusCode,
        said: Said<'_>,
    ) -> Result<Response, StoreError> {
        let (cx, own, settings) = (visitor.cx.clone(), visitor.own.clone(), Arc::clone(&self.deps.settings));
        let read = self.deps.store.read(move |tx| {
            let sessions = own_sessions::list(&cx, tx, &settings, &own)?;
            let has_password = tx.find_credential(&own.user.id)?.is_some();
            Ok((sessions, tx.list_connections()?, has_password))
        });
        let (sessions, connections, has_password) = read.await?;
        let token = form_token::of(&visitor.bound);
        let page = SessionsPage {
            page: &self.page,
            frame: self.frame(visitor, Room::Sessions, &token, said),
            sessions: sessions
                .iter()
                .map(|one| shown(one, &visitor.session, &connections))
                .collect(),
            has_password,
        };
        Ok(self.page.answer(status, &page, None))
    }

    async fn show_programs(
        &self,
        visitor: &Visitor,
        status: StatusCode,
        said: Said<'_>,
    ) -> Result<Response, StoreError> {
        let (cx, own) = (visitor.cx.clone(), visitor.own.clone());
        let found = self.deps.store.read(move |tx| programs::list(&cx, tx, &own)).await?;
        let token = form_token::of(&visitor.bound);
        let page = ProgramsPage {
            page: &self.page,
            frame: self.frame(visitor, Room::Programs, &token, said),
            programs: listed(found),
        };
        Ok(self.page.answer(status, &page, None))
    }
}

fn shown(session: &Session, this: &Session, connections: &[Connection]) -> SessionView {
    SessionView {
        id: session.id.to_string(),
        agent: session.agent.clone().unwrap_or_else(|| "A browser".to_owned()),
        address: session.peer.clone().unwrap_or_else(|| "unknown".to_owned()),
        began: session.created_at.into(),
        used: session.last_used_at.into(),
        how: how(session, connections),
        this: session.id == this.id,
    }
}

/// How somebody signed in, in words. What a provider asked of them is not known here by its name.
fn how(session: &Session, connections: &[Connection]) -> String {
    let Some(id) = &session.connection else {
        return match session.authentication.strength {
            Strength::Password => "by password",
            Strength::MultiFactor => "by two factors",
            Strength::PhishingResistant => "by passkey",
        }
        .to_owned();
    };
    match connections.iter().find(|connection| connection.id == *id) {
        Some(connection) => format!("at {}", connection.title),
        None => "at an identity provider".to_owned(),
    }
}

fn listed(found: Programs) -> Vec<ProgramView> {
    let keys = found.keys.into_iter().map(|(key, name)| ProgramView {
        kind: "key",
        id: key.kid,
        name,
        machine: Some(key.label),
        since: key.created_at.into(),
        until: key.expires_at.map(When::from),
    });
    // Those that hang on a machine's key go with it and are not listed twice.
    let families = found
        .families
        .into_iter()
        .filter(|(family, _)| family.bound_kid.is_none());
    let families = families.map(|(family, name)| ProgramView {
        kind: "family",
        id: family.id.to_string(),
        name,
        machine: None,
        since: family.created_at.into(),
        until: Some(family.expires_at.into()),
    });
    keys.chain(families).collect()
}
