//! Whether the customer agrees: by a yes, or by silence since it is known to have the notice; an objection holds what
//! has not begun.
//!
//! Not here: what was agreed with whom (estate and policies), taking a yes or a no (`crate::consent`).

use super::ahead::next_day_ms;
use super::debt::customer_of;
use super::{Disturbs, must_be_told};
use crate::scope::{View, instant_text};
use crate::{Driver, Trouble};
use hostler_core::consent::{ConsentKind, Required, Said, Standing, consent_document};
use hostler_core::gate::{Closed, GateKind, Told, told_document};
use hostler_ports::store::Expect;

/// What is asked of a customer, and how it stands.
pub(super) struct Asked {
    required: Required,
    standing: Standing,
    said: Option<Said>,
    told_ms: Option<i64>,
    document: String,
    expect: Vec<Expect>,
}

/// When silence agrees to work that the customer knows of since `told_ms`; none: it never does, or nobody can say.
pub(crate) fn silent_ms(
    view: &View<'_>,
    customer: &str,
    kind: ConsentKind,
    told_ms: i64,
) -> Option<i64> {
    let ConsentKind::Tacit { business_days } = kind else {
        return None;
    };
    let directory = &view.driver.parts.directory;
    directory.business_days_after(Some(customer), business_days, told_ms)
}

/// What is asked of the customer for these classes in the run of this lane.
pub(crate) fn required(view: &View<'_>, customer: &str, classes: &[String]) -> Option<Required> {
    let directory = &*view.driver.parts.directory;
    Required::of(directory, &view.plan.starter, customer, classes)
}

impl Driver {
    /// The gate of a customer that has not agreed, and from what that was read. What has begun goes on.
    pub(super) async fn unconsented(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
    ) -> Result<(Option<Closed>, Vec<Expect>), Trouble> {
        if disturbs.needs.has_begun() {
            return Ok((None, Vec::new()));
        }
        let Some(asked) = self.asked_for(view, disturbs).await? else {
            return Ok((None, Vec::new()));
        };
        let customer = customer_of(view, disturbs.asset);
        Ok((asked.closed(view, customer), asked.expect))
    }

    /// What is asked for this work; none: nothing.
    pub(super) async fn asked_for(
        &self,
        view: &View<'_>,
        disturbs: &Disturbs<'_>,
    ) -> Result<Option<Asked>, Trouble> {
        let customer = customer_of(view, disturbs.asset);
        let Some(required) = required(view, customer, &disturbs.classes) else {
            return Ok(None);
        };
        let run = view.lane.opening.run;
        let document = consent_document(run, customer);
        let (version, said) = self.document::<Said>(&document).await?;
        let mut expect = vec![version];
        let mut told_ms = None;
        let silence = required.kind != ConsentKind::Explicit;
        let announced = must_be_told(view, disturbs.asset).filter(|_| silence);
        if let Some((notices, _)) = announced {
            let name = told_document(run, &notices.template, customer);
            let (version, told) = self.document::<Told>(&name).await?;
            expect.push(version);
            told_ms = told.and_then(|told| Some(told.reached?.at_ms));
        }
        let silent_ms =
            told_ms.and_then(|told_ms| silent_ms(view, customer, required.kind, told_ms));
        Ok(Some(Asked {
            standing: Standing::of(required.kind, said.as_ref(), silent_ms, view.now_ms),
            required,
            said,
            told_ms,
            document,
            expect,
        }))
    }
}

impl Asked {
    /// Since when it may begin; none: not yet.
    pub fn since_ms(&self) -> Option<i64> {
        match self.standing {
            Standing::Open { since_ms } => Some(since_ms),
            _ => None,
        }
    }

    fn closed(&self, view: &View<'_>, customer: &str) -> Option<Closed> {
        let silence = self.required.kind != ConsentKind::Explicit;
        let (why, until_ms) = match (self.standing, &self.said) {
            (Standing::Open { .. }, _) => return None,
            (Standing::Objected, Some(said)) => (objected(said), None),
            (Standing::Silent { until_ms }, _) => {
                let told = self.told_ms.map(instant_text).unwrap_or_default();
                let agrees = instant_text(until_ms);
                let why = format!("told at {told}; silence agrees at {agrees}");
                (why, Some(until_ms))
            }
            // Mail may still arrive, and the document of the notice rings nobody here.
            _ if silence => (
                format!(
                    "nobody of {customer} is known to have the notice, so its silence says nothing"
                ),
                Some(next_day_ms(view.now_ms)),
            ),
            _ => (format!("nobody of {customer} has agreed"), None),
        };
        let run = view.lane.opening.run;
        Some(Closed {
            gate: GateKind::Consent,
            rule: self.required.rule(),
            why,
            remedy: format!(
                "somebody who has the notices of {customer} agrees by the link of the notice, or on their word: hostler run agree {run} --customer {customer} --word-of PERSON"
            ),
            until_ms,
            document: Some(self.document.clone()),
            never: false,
        })
    }
}

/// `ada objects since 2026-12-01T08:00:00Z: the term ends`.
fn objected(said: &Said) -> String {
    let since = instant_text(said.at_ms);
    let reason = said.consent.reason.as_deref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    format!("{} objects since {since}{reason}", said.consent.who())
}
