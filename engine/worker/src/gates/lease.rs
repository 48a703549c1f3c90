//! What a live lease keeps off its asset: nobody begins it there until the lease ends, the run that opened it included.
//!
//! The end of a lease needs the asset's lock, and a lane keeps its lock to its end. So a lane waits before it takes the
//! lock, whatever of it is ahead; one that has the lock already would wait for ever, and ends as held. Not here: what a
//! lease keeps off (core), and that it is written with the lease (`leases`).

use crate::resolve::{Fault, asset_lock};
use crate::scope::{View, instant_text};
use crate::spawn::program_index;
use crate::{Driver, Trouble};
use hostler_core::definition::Step;
use hostler_core::gate::{Closed, GateKind};
use hostler_core::lane::{CallSpec, Origin, Section};
use hostler_core::lease::{Ahead, LEASES_MAX, Leases, LiveLease, ahead, leases_document};
use hostler_ports::store::Expect;
use serde_json::Value;

/// What leases say of a call.
#[derive(Default)]
pub(super) struct Leased {
    pub closed: Option<Closed>,
    pub expect: Option<Expect>,
}

/// A call, as leases look at it.
struct Looks<'a> {
    call: &'a CallSpec,
    asset: &'a str,
    /// The lane has the asset's lock, its own or an ancestor's.
    has_lock: bool,
    now_ms: i64,
}

impl Driver {
    /// What takes back or cleans up passes, so no two leases keep each other's ends off; so does what only reads.
    pub(super) async fn leased(
        &self,
        view: &View<'_>,
        step: &Step,
        call: &CallSpec,
    ) -> Result<Leased, Trouble> {
        let lane = view.lane;
        let goes_forward = lane.cursor.section == Section::Main
            && matches!(lane.opening.origin, Origin::Program(_));
        let judged = goes_forward && call.effect.mutates();
        let Some(asset) = call.asset.as_deref().filter(|_| judged) else {
            return Ok(Leased::default());
        };
        let lock = asset_lock(asset);
        let looks = Looks {
            call,
            asset,
            has_lock: lane.opening.locks.contains(&lock) || lane.locks.contains(&lock),
            now_ms: view.now_ms,
        };
        let document = leases_document(asset);
        let (mut expect, leases) = self.document::<Leases>(&document).await?;
        let mut closed = looks.closed(view, step, leases).await?;
        if closed.is_some() {
            // What is known may be old: a lane is held only by what is so now.
            let (version, leases) = self.document_now::<Leases>(&document).await?;
            closed = looks.closed(view, step, leases).await?;
            expect = version;
        }
        let expect = Some(expect);
        Ok(Leased { closed, expect })
    }
}

impl Looks<'_> {
    async fn closed(
        &self,
        view: &View<'_>,
        step: &Step,
        leases: Option<Leases>,
    ) -> Result<Option<Closed>, Trouble> {
        let Some(leases) = leases else {
            return Ok(None);
        };
        if let Some(lease) = leases.holding(&self.call.action) {
            return Ok(Some(self.held(lease, &self.call.action)));
        }
        let opens = step.lease.as_ref();
        if leases.is_full() && opens.is_some_and(|lease| !lease.blocks.is_empty()) {
            return Ok(Some(self.full(&leases)));
        }
        if self.has_lock {
            return Ok(None);
        }
        let program = program_index(view.lane).unwrap_or_default();
        for next in ahead(&view.definition, program, view.lane.cursor.index) {
            let Some(lease) = leases.holding(&next.action.action) else {
                continue;
            };
            if may_come(view, &next).await? {
                return Ok(Some(self.held(lease, &next.action.action)));
            }
        }
        Ok(None)
    }

    fn held(&self, lease: &LiveLease, action: &str) -> Closed {
        let (asset, ends) = (self.asset, instant_text(lease.ends_ms));
        let until = match lease.ends_ms > self.now_ms {
            true => format!("until {ends}"),
            false => format!("until it is ended, which was due at {ends}"),
        };
        let (step, run) = (&lease.step, lease.run);
        let why = format!("{step} of run {run} keeps {action} off {asset} {until}");
        let rule = format!("{}.{step}", lease.runbook);
        self.gate(rule, why, Some(lease.ends_ms))
    }

    fn full(&self, leases: &Leases) -> Closed {
        let why = format!(
            "{LEASES_MAX} leases keep something off {} already",
            self.asset
        );
        let first = leases.leases.first().map(|lease| lease.ends_ms);
        self.gate(self.asset.to_owned(), why, first)
    }

    /// With the last look at the instant of the end: from then on only the document says that it is over.
    fn gate(&self, rule: String, why: String, ends_ms: Option<i64>) -> Closed {
        let remedy = match self.has_lock {
            true => {
                "run what was held again when the lease has ended: that needs the server's lock, which this lane had \
                 taken already"
            }
            false => "wait until the lease ends, or end it: `hostler lease release`",
        };
        Closed {
            gate: GateKind::Lease,
            rule,
            why,
            remedy: remedy.to_owned(),
            until_ms: ends_ms.filter(|ends_ms| *ends_ms > self.now_ms && !self.has_lock),
            document: Some(leases_document(self.asset)),
            never: self.has_lock,
        }
    }
}

/// Whatever cannot be told yet may come.
async fn may_come(view: &View<'_>, next: &Ahead<'_>) -> Result<bool, Trouble> {
    let Some(condition) = next.condition else {
        return Ok(true);
    };
    match view.evaluate(condition).await {
        Ok(value) => Ok(value != Value::Bool(false)),
        Err(Fault::Step(_)) => Ok(true),
        Err(Fault::Worker(trouble)) => Err(trouble),
    }
}
