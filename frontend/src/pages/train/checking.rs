//! The check, by itself, as the options change.

use gloo_timers::future::TimeoutFuture;
use leptos::{prelude::*, task::spawn_local};

use super::{PAUSE_MS, setup::Setup};

impl Setup {
    /// Checks what is asked for whenever that changed and a moment passed without another change.
    pub(super) fn check_as_things_change(self) {
        Effect::new(move || {
            let Some((job, revision)) = self.asked() else { return };
            self.anyway.set(false);
            spawn_local(async move {
                TimeoutFuture::new(PAUSE_MS).await;
                // The person may have left the page, or changed something more.
                if self.is_asked(&job, revision) && untrack(|| self.fresh_check()).is_none() {
                    self.check(job, revision).await;
                }
            });
        });
    }
}
