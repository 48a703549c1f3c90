//! Turns that customers may put off: of classes only that can be.
//!
//! Not here: how often and how long (policies), and that a deferral holds something (`clocks`).

use super::Checker;
use crate::ast::{Body, Dyn, Runbook, Step};
use crate::codes;
use hostler_core::deferral::EMERGENCY;
use std::collections::BTreeSet;

impl Checker<'_, '_, '_> {
    pub(super) fn deferrals(&mut self, runbook: &Runbook) {
        let class = runbook.policy.class.as_str();
        self.deferrals_of(&runbook.body, class);
    }

    /// `class`: of what is within, where it says no other.
    fn deferrals_of(&mut self, body: &Body, class: &str) {
        for step in body.steps.iter().chain(&body.always) {
            let class = class_of(step).unwrap_or(class);
            let Some(inner) = step.verb.body() else {
                continue;
            };
            self.deferrable(step, inner, class);
            self.deferrals_of(inner, class);
        }
    }

    fn deferrable(&mut self, step: &Step, body: &Body, class: &str) {
        let Some((notices, span)) = &step.notices else {
            return;
        };
        if notices.defer_until_ms.is_none() {
            return;
        }
        let mut classes = BTreeSet::new();
        self.classes(body, class, &mut classes);
        if classes.contains(EMERGENCY) {
            let message = "an emergency is never put off";
            let remedy = "leave `defer_until` out: an emergency waits for nobody";
            self.faults
                .add(codes::NOT_DEFERRABLE, *span, message, remedy);
            return;
        }
        if let Some(class) = self.granted_to_nobody(classes) {
            let message = format!("the policies let nobody put work of the class `{class}` off");
            let remedy = format!(
                "nothing, if that is meant; else grant it: `{class}` in `policies/deferrals.yaml`"
            );
            self.faults
                .add(codes::NOBODY_DEFERS, *span, message, remedy);
        }
    }

    /// The first class that the estate's policies leave out; where they say nothing of deferrals, nobody is surprised.
    fn granted_to_nobody<'a>(&self, classes: BTreeSet<&'a str>) -> Option<&'a str> {
        let policies = self.env.estate.as_ref()?.policies.as_ref()?;
        let granted = policies.deferrable.as_ref()?;
        let mut classes = classes.into_iter();
        classes.find(|class| !granted.contains(*class))
    }

    /// Classes of what disturbs; one that is computed is known at the server's gate only, which lets an emergency pass.
    fn classes<'a>(&self, body: &'a Body, class: &'a str, found: &mut BTreeSet<&'a str>) {
        for step in &body.steps {
            let class = class_of(step).unwrap_or(class);
            if self.disturbs(step) {
                found.insert(class);
            }
            if let Some(inner) = step.verb.body() {
                self.classes(inner, class, found);
            }
        }
    }
}

fn class_of(step: &Step) -> Option<&str> {
    match step.class.as_ref()? {
        Dyn::Value(class, _) => class.as_str(),
        _ => None,
    }
}
