//! A stronger sign-in in the middle of a command (SU-03, SU-06).
//!
//! Owns "once, and only with a person at the terminal". Never loops.

use std::sync::Arc;

use lanyard_client::flow_error::FlowError;

use crate::client_config::at::At;
use crate::command::login;
use crate::ui::Ui;

/// Runs `work`; when it ends because a stronger or fresher sign-in is needed, signs in and runs it once more.
pub(crate) async fn with_step_up<T>(at: &At, ui: &Ui, work: impl AsyncFn() -> anyhow::Result<T>) -> anyhow::Result<T> {
    let error = match work().await {
        Ok(done) => return Ok(done),
        Err(error) => error,
    };
    match asked_for(&error) {
        Some((acr_values, max_age)) if ui.is_interactive() => {
            login::again(at, acr_values, max_age, ui).await?;
            work().await
        }
        _ => Err(error),
    }
}

fn asked_for(error: &anyhow::Error) -> Option<(Option<String>, Option<u64>)> {
    error.chain().find_map(|cause| {
        let shared = cause.downcast_ref::<Arc<FlowError>>().map(AsRef::as_ref);
        match cause.downcast_ref::<FlowError>().or(shared) {
            Some(FlowError::StepUp { acr_values, max_age }) => Some((acr_values.clone(), *max_age)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_step_up_asks_for_a_sign_in_su_08() {
        let step_up = Arc::new(FlowError::StepUp {
            acr_values: None,
            max_age: Some(300),
        });
        assert_eq!(
            asked_for(&anyhow::Error::new(step_up).context("call")),
            Some((None, Some(300)))
        );
        assert_eq!(asked_for(&anyhow::Error::new(FlowError::Forbidden)), None);
    }
}
