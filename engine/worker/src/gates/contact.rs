//! Whether anybody at the customer is known to be reached: else what disturbs its servers waits.
//!
//! Not here: who was confirmed when, and how long that counts (the estate and its policies).

use super::Disturbs;
use crate::Driver;
use crate::scope::View;
use hostler_core::gate::Closed;

impl Driver {
    /// The gate of the first class that asks for a confirmed contact and finds none.
    pub(super) fn unsure_contact(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
    ) -> Option<Closed> {
        let directory = &self.parts.directory;
        let mut classes = disturbs.classes.iter();
        classes.find_map(|class| directory.unconfirmed(disturbs.asset, class, view.now_ms))
    }
}
