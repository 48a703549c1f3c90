//! A turn that its customer may put off: held where it was, and marked as begun in the commit that begins its first
//! change.
//!
//! The commit that puts it off expects the same document (`deferral`), so one of the two comes first. Not here: who may
//! put it off, and what counts.

use super::{Disturbs, must_be_told};
use crate::Driver;
use crate::Trouble;
use crate::scope::{View, instant_text};
use crate::spawn::program_index;
use hostler_core::deferral::{EMERGENCY, PutOff, Turn, turn_document};
use hostler_core::gate::{Closed, GateKind};
use hostler_ports::store::{DocumentWrite, Expect};
use serde_json::json;

/// What is known of a turn before a call.
#[derive(Default)]
pub(super) struct OfTurn {
    pub closed: Option<Closed>,
    pub expect: Option<Expect>,
    /// What the first change writes.
    pub begins: Option<DocumentWrite>,
}

impl Driver {
    pub(super) async fn of_turn(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
    ) -> Result<OfTurn, Trouble> {
        let notices = must_be_told(view, disturbs.asset).map(|(notices, _)| notices);
        let Some(notices) = notices.filter(|notices| notices.defer_until_ms.is_some()) else {
            return Ok(OfTurn::default());
        };
        let run = view.lane.opening.run;
        let key = turn_document(run, &notices.template, disturbs.asset);
        let (expect, turn) = self.document::<Turn>(&key).await?;
        let turn = turn.unwrap_or_default();
        let waits = disturbs.classes.iter().all(|class| class != EMERGENCY);
        let put_off = turn.put_off.as_ref();
        let put_off = put_off.filter(|it| it.until_ms > view.now_ms && waits && !turn.began);
        let closed = put_off.map(|put_off| held(view, put_off, disturbs.asset, &key));
        let begins = (!turn.began).then(|| DocumentWrite {
            body: Some(
                json!(Turn {
                    began: true,
                    ..turn.clone()
                })
                .to_string(),
            ),
            key,
        });
        Ok(OfTurn {
            closed,
            expect: Some(expect),
            begins,
        })
    }
}

/// The lane of the turn itself ends and gives its place to others; what it has opened within itself waits.
fn held(view: &View<'_>, put_off: &PutOff, asset: &str, document: &str) -> Closed {
    let program = program_index(view.lane);
    let gives_place = program.is_some_and(|program| view.definition.is_turn(program));
    Closed {
        gate: GateKind::Deferral,
        rule: asset.to_owned(),
        why: said(put_off),
        remedy: "wait: it has its turn in its next window behind that".to_owned(),
        until_ms: (!gives_place).then_some(put_off.until_ms),
        document: Some(document.to_owned()),
        never: gives_place,
    }
}

/// `put off until 2026-12-01T08:00:00Z by ada`.
pub(super) fn said(put_off: &PutOff) -> String {
    let until = instant_text(put_off.until_ms);
    format!("put off until {until} by {}", put_off.who())
}
