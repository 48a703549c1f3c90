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
        let granted = self.env.estate.as_ref();
        let granted = granted.and_then(|estate| estate.policies.as_ref()?.deferrable.as_ref());
        let refused = classes.into_iter().find(|class| {
            let left_out = granted.is_some_and(|granted| !granted.contains(*class));
            *class == EMERGENCY || left_out
        });
        let Some(class) = refused else { return };
        let (message, remedy) = match class {
            EMERGENCY => (
                "an emergency is never put off".to_owned(),
                "leave `defer_until` out: an emergency waits for nobody".to_owned(),
            ),
            class => (
                format!("the policies let nobody put work of the class `{class}` off"),
                format!(
                    "leave `defer_until` out, or grant it: `{class}` in `policies/deferrals.yaml`"
                ),
            ),
        };
        self.faults
            .add(codes::NOT_DEFERRABLE, *span, message, remedy);
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
