//! Gates before a disturbing call: the calendar's, the freezes that people have declared, what is owed since an
//! emergency, whether the customer can be reached, was told in time and agrees; and before every change, whether it is
//! still what was signed, and whether a live lease keeps it off.
//!
//! What is open is an expectation of the commit that begins the call, so a freeze that is declared
//! between the look and the commit holds it. Not here: what a closed gate means for a lane (core).

mod ahead;
pub mod budget;
mod clock;
pub(crate) mod consent;
pub mod contact;
pub mod debt;
mod known;
mod lease;
mod overflow;
mod signed;
mod turn;

pub use known::Gates;

use crate::scope::{View, instant_text};
use crate::{Driver, Trouble};
use ahead::{Needs, classes};
use hostler_core::command::Entry;
use hostler_core::definition::{NoticePlan, Step, Verb};
use hostler_core::gate::{Closed, FREEZES, Freezes, GateKind, Told, told_document};
use hostler_core::lane::{CallSpec, Origin};
use hostler_ports::store::{DocumentWrite, Expect};
use std::sync::Arc;

/// What to do about a customer nobody of whom can be reached.
const UNREACHED: &str = "see `hostler notice list RUN`, mend the contacts in the estate's files, and run what was \
                         held again";

const PROMISED: &str =
    "wait: so much notice is promised for work of this class (`hostler policy show classes`)";

/// What gates say about one call: what holds it, if anything, and from what that was read.
struct Looked {
    closed: Option<Closed>,
    expect: Vec<Expect>,
    /// The item has missed as many windows as it may, and the runbook says: ask.
    asks: bool,
}

/// What comes of the gates before a step.
pub(crate) struct Gated {
    /// As it stood, or held.
    pub entry: Entry,
    /// What must still be so when it is committed.
    pub expect: Vec<Expect>,
    /// What the call spends of its customer's budgets, in the commit that begins it.
    pub spends: Option<budget::Spends>,
    /// What the call says of the turn of its server, in the same commit.
    pub marks: Option<DocumentWrite>,
}

impl Gated {
    fn with(entry: Entry, expect: Vec<Expect>) -> Self {
        Self {
            entry,
            expect,
            spends: None,
            marks: None,
        }
    }
}

impl From<Entry> for Gated {
    fn from(entry: Entry) -> Self {
        Self::with(entry, Vec::new())
    }
}

/// What a call disturbs.
pub(crate) struct Disturbs<'a> {
    asset: &'a str,
    needs: Needs,
    /// Classes of the disturbing steps from here on: each must let it begin.
    classes: Vec<String>,
    /// Windows that the runbook names: each must be open, too.
    windows: Vec<String>,
    /// When the lane was opened: its notices were on their way then.
    since_ms: i64,
}

/// The customer who must have been told before this asset is worked on, and the notices that tell it.
fn must_be_told<'a>(view: &'a View<'_>, asset: &str) -> Option<(&'a NoticePlan, &'a str)> {
    let Origin::Program(program) = view.lane.opening.origin else {
        return None;
    };
    let notices = view.definition.announcement(program)?;
    let customer = view.plan.assets.get(asset)?.get("customer")?.as_str()?;
    Some((notices, customer))
}

fn held(call: &Arc<CallSpec>, closed: Closed) -> Entry {
    Entry::Held {
        call: Arc::clone(call),
        closed: Box::new(closed),
    }
}

fn missed(call: &Arc<CallSpec>, closed: Closed) -> Entry {
    Entry::Missed {
        call: Arc::clone(call),
        closed: Box::new(closed),
    }
}

impl Driver {
    pub(crate) async fn gated(
        &self,
        view: &View<'_>,
        step: &Step,
        entry: Entry,
    ) -> Result<Gated, Trouble> {
        let Entry::Do(call) = &entry else {
            return Ok(Gated::from(entry));
        };
        if let Some(closed) = self.unsigned(view, call) {
            return Ok(Gated::from(held(call, closed)));
        }
        let leased = self.leased(view, step, call).await?;
        if let Some(closed) = leased.closed {
            let expect = leased.expect.into_iter().collect();
            return Ok(Gated::with(held(call, closed), expect));
        }
        let mut gated = self.undisturbed(view, step, call).await?;
        gated.expect.extend(leased.expect);
        Ok(gated)
    }

    /// The gates before what disturbs, or prepares that.
    async fn undisturbed(
        &self,
        view: &View<'_>,
        step: &Step,
        call: &Arc<CallSpec>,
    ) -> Result<Gated, Trouble> {
        let entry = Entry::Do(Arc::clone(call));
        let Some(asset) = call.asset.as_deref() else {
            return Ok(Gated::from(entry));
        };
        let Some(needs) = self.needs(view, step, asset).await? else {
            return Ok(Gated::from(entry));
        };
        let said = (classes(view, step).await?, clock::windows(view).await?);
        let (classes, windows) = match said {
            (Ok(classes), Ok(windows)) => (classes, windows),
            (Err(reason), _) | (_, Err(reason)) => return Ok(Gated::from(Entry::Fault(reason))),
        };
        let disturbs = Disturbs {
            asset,
            needs,
            classes,
            windows,
            since_ms: view.lane.opened_ms,
        };
        if let Some(closed) = clock::unsigned(view, &disturbs.windows) {
            return Ok(Gated::from(held(call, closed)));
        }
        let turn = self.of_turn(view, &disturbs).await?;
        if let Some(closed) = turn.closed {
            let expect = turn.expect.into_iter().collect();
            return Ok(Gated::with(held(call, closed), expect));
        }
        let mut looked = self.look(view, &disturbs).await?;
        if looked.closed.is_some() {
            // What is known may be old: a lane is held only by what is so now.
            self.gates.forget();
            looked = self.look(view, &disturbs).await?;
        }
        let mut expect = looked.expect;
        expect.extend(turn.expect);
        if let Some(closed) = looked.closed {
            let closed = self.before_checks(view, &disturbs, closed).await?;
            let stays = if looked.asks { missed } else { held };
            let entry = closed.map_or(entry.clone(), |closed| stays(call, closed));
            return Ok(Gated::with(entry, expect));
        }
        // What only looks, shortly before its slot, spends nothing.
        if !matches!(&step.verb, Verb::Do(action) if action.effect.mutates()) {
            return Ok(Gated::with(entry, expect));
        }
        // Last: what another gate holds spends nothing.
        let spending = self.spending(view, &disturbs).await?;
        expect.extend(spending.expect);
        let overdraws = spending.spends.as_ref().map(|spends| &spends.overdraws);
        let entry = match (spending.closed, overdraws) {
            (Some(closed), _) => held(call, closed),
            (None, Some(names)) if !names.is_empty() => Entry::Do(Arc::new(CallSpec {
                overdraws: names.clone(),
                ..CallSpec::clone(call)
            })),
            _ => entry,
        };
        let spends = spending.spends;
        Ok(Gated {
            entry,
            expect,
            spends,
            marks: turn.begins,
        })
    }

    async fn look(&self, view: &View<'_>, disturbs: &Disturbs<'_>) -> Result<Looked, Trouble> {
        let (expect, freezes) = self.document::<Freezes>(FREEZES).await?;
        let mut expect = vec![expect];
        let freezes = freezes.unwrap_or_default();
        let closed = self.frozen(disturbs, &freezes, view.now_ms);
        let closed = closed.map(|closed| self.unfit(view, disturbs, closed));
        let (mut closed, history) = closed.unzip();
        expect.extend(history.flatten());
        let passed = self.overflowed(view, disturbs, &freezes, closed.is_none());
        let passed = passed.await?;
        let asks = passed.is_some() && overflow::asks(view);
        closed = passed.or(closed);
        closed = closed.or_else(|| self.before_given(view, disturbs, &freezes));
        if closed.is_none() {
            let (unsure, versions) = self.unsure_contact(view, disturbs).await?;
            (closed, expect) = (unsure, [expect, versions].concat());
        }
        let (owed, version) = self.owed(view, disturbs).await?;
        expect.push(version);
        closed = closed.or(owed);
        let announced = must_be_told(view, disturbs.asset).filter(|_| closed.is_none());
        if let Some((notices, customer)) = announced {
            let name = told_document(view.lane.opening.run, &notices.template, customer);
            let (version, told) = self.document::<Told>(&name).await?;
            expect.push(version);
            closed = self.untold(view, disturbs, (notices, customer), name, told);
        }
        if closed.is_none() {
            let (unsaid, versions) = self.unconsented(view, disturbs).await?;
            (closed, expect) = (unsaid, [expect, versions].concat());
        }
        Ok(Looked {
            closed,
            expect,
            asks,
        })
    }

    /// What calendar and freezes say of an instant.
    fn frozen(&self, disturbs: &Disturbs<'_>, freezes: &Freezes, at_ms: i64) -> Option<Closed> {
        let directory = &self.parts.directory;
        let Disturbs {
            asset,
            ref classes,
            ref windows,
            ..
        } = *disturbs;
        let needed_ms = disturbs.needs.total_ms();
        let applies = |selector: &str| match directory.matches(asset, selector) {
            Ok(applies) => applies,
            // A freeze that cannot be understood here holds everything.
            Err(fault) => {
                tracing::warn!(selector, %fault, "a declared freeze cannot be read");
                true
            }
        };
        let mut declared = freezes.freezes.iter().filter(|freeze| {
            let holds =
                |class: &String| freeze.holds(class, at_ms) && !directory.passes_freezes(class);
            classes.iter().any(holds) && applies(&freeze.applies)
        });
        let declared = declared.next().map(|freeze| freeze.closed());
        let mut all = classes.iter();
        declared.or_else(|| {
            all.find_map(|class| directory.closed_within(asset, class, windows, needed_ms, at_ms))
        })
    }

    /// Work that was announced begins when the customer is known to have been told, and has had the time that
    /// its class grants.
    fn untold(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
        (notices, customer): (&NoticePlan, &str),
        document: String,
        told: Option<Told>,
    ) -> Option<Closed> {
        // Announced by an engine that did not keep it: nobody knows.
        let is_hopeless = told.as_ref().is_some_and(Told::is_hopeless);
        let told = told.unwrap_or_default();
        let told_ms = told.reached.as_ref().map(|reached| reached.at_ms);
        let (class, earliest_ms) = self.latest(disturbs, notices, told_ms)?;
        if earliest_ms.is_some_and(|earliest_ms| earliest_ms <= view.now_ms) {
            return None;
        }
        let (why, remedy) = match (told_ms, earliest_ms) {
            (Some(told_ms), Some(earliest_ms)) => {
                let (told, begins) = (instant_text(told_ms), instant_text(earliest_ms));
                let why =
                    format!("told at {told}; {class} work begins at {begins} at the earliest");
                (why, PROMISED)
            }
            _ => {
                let counts = told.counts();
                let why =
                    format!("nobody there is known to have the notice of this work ({counts})");
                (why, UNREACHED)
            }
        };
        Some(Closed {
            gate: GateKind::Notice,
            rule: customer.to_owned(),
            why,
            remedy: remedy.to_owned(),
            until_ms: earliest_ms,
            document: Some(document),
            never: is_hopeless && earliest_ms.is_none(),
        })
    }

    /// Of the classes the one that begins last, with its instant; none: not before somebody has been told.
    fn latest<'a>(
        &self,
        disturbs: &'a Disturbs<'_>,
        notices: &NoticePlan,
        told_ms: Option<i64>,
    ) -> Option<(&'a str, Option<i64>)> {
        let directory = &self.parts.directory;
        let of = |class: &'a String| {
            let promised_ms = directory.earliest_ms(class, disturbs.asset, told_ms);
            (
                class.as_str(),
                notices.stricter(told_ms, disturbs.since_ms, promised_ms),
            )
        };
        // Not known at all is later than every instant.
        let last = |(_, earliest_ms): &(&str, Option<i64>)| (earliest_ms.is_none(), *earliest_ms);
        disturbs.classes.iter().map(of).max_by_key(last)
    }
}
