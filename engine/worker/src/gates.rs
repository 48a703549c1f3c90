//! Gates before a disturbing call: the calendar's, and the freezes that people have declared.
//!
//! What is open is an expectation of the commit that begins the call, so a freeze that is declared
//! between the look and the commit holds it. Not here: what a closed gate means for a lane (core).

use crate::scope::View;
use crate::{Driver, Trouble};
use hostler_core::command::Entry;
use hostler_core::contract::Impact;
use hostler_core::definition::{Step, Verb};
use hostler_core::gate::{Closed, FREEZES, Freezes};
use hostler_core::lane::Section;
use hostler_ports::store::{Expect, StoreError};
use std::sync::{Arc, Mutex, PoisonError};

/// The declared freezes as they were last read, with the document's version.
#[derive(Default)]
pub struct Gates(Mutex<Option<(u64, Arc<Freezes>)>>);

impl Gates {
    fn known(&self) -> Option<(u64, Arc<Freezes>)> {
        self.lock().clone()
    }

    fn keep(&self, version: u64, freezes: &Arc<Freezes>) {
        *self.lock() = Some((version, Arc::clone(freezes)));
    }

    /// Somebody has changed them.
    pub fn forget(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Option<(u64, Arc<Freezes>)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The longest disturbing call from this step on, if the step is one or prepares one: what a lane changes
/// on the way there (a silence, a snapshot, the lock) does not wait for a window, it comes with it.
fn disturbs_ms(view: &View<'_>, step: &Step) -> Option<u64> {
    let Verb::Do(action) = &step.verb else {
        return None;
    };
    let cursor = view.lane.cursor;
    if cursor.section != Section::Main || !action.effect.mutates() {
        return None;
    }
    let program = view.program()?;
    let ahead = program.steps.iter().skip(usize::from(cursor.index));
    let outages = ahead.filter_map(|step| match &step.verb {
        Verb::Do(action) if action.impact == Impact::Outage => Some(action.timeout_ms),
        _ => None,
    });
    outages.max()
}

impl Driver {
    /// The entry as it stands, or held by a gate; and what must still be so when it is committed.
    pub(crate) async fn gated(
        &self,
        view: &View<'_>,
        step: &Step,
        entry: Entry,
    ) -> Result<(Entry, Option<Expect>), Trouble> {
        let Entry::Do(call) = &entry else {
            return Ok((entry, None));
        };
        let (Some(asset), Some(needed_ms)) = (call.asset.as_deref(), disturbs_ms(view, step))
        else {
            return Ok((entry, None));
        };
        let (mut version, mut freezes) = self.freezes().await?;
        let mut closed = self.closed(view, asset, needed_ms, &freezes);
        if closed.is_some() {
            // What is known may be old: a lane is held only by what is so now.
            self.gates.forget();
            (version, freezes) = self.freezes().await?;
            closed = self.closed(view, asset, needed_ms, &freezes);
        }
        let expect = Expect {
            document: FREEZES.to_owned(),
            version,
        };
        let entry = match closed {
            None => entry,
            Some(closed) => Entry::Held {
                call: Arc::clone(call),
                closed: Box::new(closed),
            },
        };
        Ok((entry, Some(expect)))
    }

    fn closed(
        &self,
        view: &View<'_>,
        asset: &str,
        needed_ms: u64,
        freezes: &Freezes,
    ) -> Option<Closed> {
        let (directory, class) = (&self.parts.directory, &view.definition.policy.class);
        let applies = |selector: &str| match directory.matches(asset, selector) {
            Ok(applies) => applies,
            // A freeze that cannot be understood here holds everything.
            Err(fault) => {
                tracing::warn!(selector, %fault, "a declared freeze cannot be read");
                true
            }
        };
        let mut declared = freezes
            .freezes
            .iter()
            .filter(|freeze| freeze.holds(class, view.now_ms) && applies(&freeze.applies));
        let declared = declared.next().map(|freeze| freeze.closed());
        declared.or_else(|| directory.closed(asset, class, needed_ms, view.now_ms))
    }

    async fn freezes(&self) -> Result<(u64, Arc<Freezes>), Trouble> {
        if let Some(known) = self.gates.known() {
            return Ok(known);
        }
        let found = self.parts.store.documents(&[FREEZES.to_owned()]).await?;
        let found = found.into_iter().flatten().next();
        let version = found.as_ref().map_or(0, |found| found.version);
        let freezes = match found.and_then(|found| found.body) {
            None => Freezes::default(),
            Some(body) => serde_json::from_str(&body)
                .map_err(|fault| StoreError::Corrupt(format!("the declared freezes: {fault}")))?,
        };
        let freezes = Arc::new(freezes);
        self.gates.keep(version, &freezes);
        Ok((version, freezes))
    }
}
