//! A stronger sign-in in the middle of a command (SU-03, SU-06).
//!
//! Owns how a person at a terminal sees it. Never decides that it is needed: the flow does, once per call.

use std::sync::{Mutex, PoisonError};

use lanyard_client::interactive::AuthorizationAgent;
use lanyard_client::store::BoxFuture;
use url::Url;

use crate::command::login::loopback::Loopback;
use crate::ui::Ui;

/// Says what is happening and opens the page in the person's browser.
pub(crate) struct AtTerminal {
    ui: Ui,
    listening: Mutex<Option<Loopback>>,
}

impl AtTerminal {
    /// For the person at this terminal; `None` where nobody could be asked.
    pub(crate) fn of(ui: &Ui) -> Option<Self> {
        ui.is_interactive().then(|| Self {
            ui: *ui,
            listening: Mutex::default(),
        })
    }

    fn taken(&self) -> Option<Loopback> {
        self.listening.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl AuthorizationAgent for AtTerminal {
    fn redirect_uri(&self) -> String {
        // Without a port there is no address; then the page is not opened either.
        let loopback = Loopback::bind().ok();
        let redirect_uri = loopback.as_ref().map(|own| own.redirect_uri().to_owned());
        *self.listening.lock().unwrap_or_else(PoisonError::into_inner) = loopback;
        redirect_uri.unwrap_or_default()
    }

    fn authorize<'a>(&'a self, page: &'a Url) -> BoxFuture<'a, Result<String, String>> {
        Box::pin(async move {
            let loopback = self.taken().ok_or("no port on 127.0.0.1 can be opened")?;
            self.ui
                .note("This needs a stronger or more recent sign-in. Signing in again.");
            if open::that_detached(page.as_str()).is_ok() {
                self.ui
                    .note("Your browser opens for the sign-in. If it does not, visit this address:");
            } else {
                self.ui
                    .note("Visit this address in a browser on this machine to sign in:");
            }
            self.ui.note(page.as_str());
            let state = page.query_pairs().find(|(name, _)| name == "state");
            let state = state.map(|(_, state)| state.into_owned()).unwrap_or_default();
            let query = loopback.answer(state).await.map_err(|error| format!("{error:#}"))?;
            self.ui.note("Signed in again; going on.");
            Ok(query)
        })
    }
}
