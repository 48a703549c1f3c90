//! Windows that pass without an item: how many of them it may miss, and which one is the slot that people gave it.
//!
//! Not here: what is open at an instant (calendar and estate), and what people may choose (core).

use super::turn::said;
use super::{Disturbs, clock, must_be_told};
use crate::scope::{View, instant_text};
use crate::{Driver, Trouble};
use hostler_core::definition::{Overflow, UsedUp};
use hostler_core::gate::{Closed, Freezes, GateKind, Told, told_document};
use hostler_core::lane::CHANGE_SETTLES_MS;

/// A change is told once it has settled; so long after it the message is on its way.
const HEARD_MS: i64 = 2 * CHANGE_SETTLES_MS;

/// What a runbook says of the item that this lane is.
fn of(view: &View<'_>) -> Option<Overflow> {
    clock::each(view)?.overflow
}

/// People say what becomes of an item that has missed as many windows as it may.
pub(super) fn asks(view: &View<'_>) -> bool {
    of(view).is_some_and(|overflow| overflow.then == UsedUp::Ask)
}

/// As many windows as it may miss have passed.
fn closed(view: &View<'_>, asset: &str, overflow: Overflow) -> Closed {
    let given = view.lane.granted.map_or(0, |given| given.times);
    let passed = overflow.at_most.saturating_add(1).saturating_add(given);
    let no_more = match overflow.then {
        UsedUp::Held => ", and no more are waited for",
        UsedUp::Ask => "",
    };
    let passed = format!("{passed} of its windows passed without it{no_more}");
    let (gate, why) = match &view.lane.opening.put_off {
        None => (GateKind::Window, passed),
        Some(put_off) => (GateKind::Deferral, format!("{}; {passed}", said(put_off))),
    };
    Closed {
        gate,
        rule: asset.to_owned(),
        why,
        remedy: "run the runbook for it again, or allow more by `overflow: { at_most }`".to_owned(),
        until_ms: None,
        document: None,
        never: true,
    }
}

impl Driver {
    /// The end of waiting: more windows have passed without the item than its `overflow` allows. Only those count in
    /// which it could have begun: behind the promised notice and its customer's consent, outside of freezes, and long enough.
    pub(super) async fn overflowed(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        freezes: &Freezes,
        is_open: bool,
    ) -> Result<Option<Closed>, Trouble> {
        let (Some(overflow), Some(since_ms)) = (of(view), view.lane.opening.since_ms) else {
            return Ok(None);
        };
        let (last, since_ms) = match view.lane.granted {
            Some(given) => (0, self.given_ms(disturbs, freezes, given.at_ms)),
            None => (overflow.at_most, since_ms),
        };
        let Some(told_ms) = self.told_by(view, disturbs, since_ms).await? else {
            return Ok(None);
        };
        let Some(mut at_ms) = self.agreed_by(view, disturbs, told_ms).await? else {
            return Ok(None);
        };
        for _ in 0..=last {
            let closes_ms = self.missed_ms(view, disturbs, freezes, at_ms, is_open);
            let Some(closes_ms) = closes_ms else {
                return Ok(None);
            };
            at_ms = closes_ms;
        }
        Ok(Some(closed(view, disturbs.asset, overflow)))
    }

    /// When the first window from then on has ended without it; none: it has not, or still may begin in it.
    fn missed_ms(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        freezes: &Freezes,
        from_ms: i64,
        is_open: bool,
    ) -> Option<i64> {
        let slot_ms = self.slot_ms(disturbs, freezes, from_ms);
        let slot_ms = slot_ms.filter(|slot_ms| *slot_ms <= view.now_ms)?;
        let directory = &self.parts.directory;
        let closes_ms = directory.closes_ms(disturbs.asset, &disturbs.windows, slot_ms);
        closes_ms.filter(|closes_ms| *closes_ms <= view.now_ms || !is_open)
    }

    /// From when on the item could have begun as far as its customer was told; none: not yet.
    async fn told_by(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        since_ms: i64,
    ) -> Result<Option<i64>, Trouble> {
        let Some((notices, customer)) = must_be_told(view, disturbs.asset) else {
            return Ok(Some(since_ms));
        };
        let name = told_document(view.lane.opening.run, &notices.template, customer);
        let (_, told) = self.document::<Told>(&name).await?;
        let told_ms = told.and_then(|told| Some(told.reached?.at_ms));
        let earliest = self.latest(disturbs, notices, told_ms);
        let earliest_ms = earliest.and_then(|(_, earliest_ms)| earliest_ms);
        Ok(earliest_ms.map(|earliest_ms| earliest_ms.max(since_ms)))
    }

    /// From when on the customer had agreed, too; none: it has not.
    async fn agreed_by(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        since_ms: i64,
    ) -> Result<Option<i64>, Trouble> {
        let Some(asked) = self.asked_for(view, disturbs).await? else {
            return Ok(Some(since_ms));
        };
        let agreed_ms = asked.since_ms();
        Ok(agreed_ms.map(|agreed_ms| agreed_ms.max(since_ms)))
    }

    /// From when on the slot that people gave is looked for: behind a window of which its customer could not hear any
    /// more, because it was open when they gave it, or about to.
    fn given_ms(&self, disturbs: &Disturbs<'_>, freezes: &Freezes, given_ms: i64) -> i64 {
        let soon_ms = given_ms.saturating_add(HEARD_MS);
        let slot_ms = self.slot_ms(disturbs, freezes, given_ms);
        let slot_ms = slot_ms.filter(|slot_ms| *slot_ms < soon_ms);
        let directory = &self.parts.directory;
        let closes = |slot_ms| directory.closes_ms(disturbs.asset, &disturbs.windows, slot_ms);
        slot_ms.and_then(closes).unwrap_or(given_ms)
    }

    /// The slot that people gave is the next window: its customer is to hear of it before it begins.
    pub(super) fn before_given(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        freezes: &Freezes,
    ) -> Option<Closed> {
        let given = view.lane.granted?;
        let from_ms = self.given_ms(disturbs, freezes, given.at_ms);
        let slot_ms = self.slot_ms(disturbs, freezes, from_ms);
        let slot_ms = slot_ms.unwrap_or(from_ms);
        (slot_ms > view.now_ms).then(|| Closed {
            gate: GateKind::Window,
            rule: disturbs.asset.to_owned(),
            why: format!(
                "people gave it the next window, from {} on",
                instant_text(slot_ms)
            ),
            remedy: "wait".to_owned(),
            until_ms: Some(slot_ms),
            document: None,
            never: false,
        })
    }
}
