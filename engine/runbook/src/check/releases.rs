//! What a `release` reaches: a lease of its own lane, or the one that another `each` beside its own opened for the same
//! item.
//!
//! Not here: whether a lease is long enough, and what ends it (`flow`).

use super::Checker;
use crate::ast::{Body, Runbook, Text, Verb};
use crate::codes;

impl Checker<'_, '_, '_> {
    pub(super) fn releases(&mut self, runbook: &Runbook) {
        let mut all = Vec::new();
        named(&runbook.body, &mut all);
        self.releases_in(&runbook.body, &[], &all);
    }

    /// `beside`: leases of the lanes that work on the same item.
    fn releases_in(&mut self, body: &Body, beside: &[String], all: &[String]) {
        let inner = opened_by_items(body);
        let mut reached = own(body);
        reached.extend_from_slice(beside);
        for step in body.steps.iter().chain(&body.always) {
            match &step.verb {
                Verb::Release { lease } if !reached.contains(&lease.value) => {
                    self.reaches_nothing(lease, &reached, all);
                }
                Verb::Each(each) => self.releases_in(&each.body, &inner, all),
                // The lane of a round works on no item.
                Verb::Repeat(repeat) => self.releases_in(&repeat.body, &[], all),
                _ => {}
            }
        }
    }

    fn reaches_nothing(&mut self, lease: &Text, reached: &[String], all: &[String]) {
        let last = |name: &str| name.rsplit('.').next() == lease.value.rsplit('.').next();
        let elsewhere = all.iter().any(|name| last(name));
        let near = crate::read::suggestion(&lease.value, reached.iter().map(String::as_str));
        let (what, remedy) = match near {
            Some(near) => ("no step opens", format!("did you mean `{near}`?")),
            None if elsewhere => (
                "from here nothing reaches",
                "write `release: step` in the lane whose step has the lease, or `release: outer.step` in an `each` beside \
                 the `each` called `outer`, over the same items"
                    .to_owned(),
            ),
            None if all.is_empty() => ("no step opens", "no step has a lease".to_owned()),
            None => ("no step opens", format!("there are: {}", all.join(", "))),
        };
        let what = format!("{what} the lease `{}`", lease.value);
        self.faults
            .add(codes::UNKNOWN_LEASE, lease.span, what, remedy);
    }
}

/// Leases that the steps of a lane open.
fn own(body: &Body) -> Vec<String> {
    let steps = body.steps.iter().chain(&body.always);
    let leases = steps.filter(|step| step.lease.is_some());
    leases.map(|step| step.id.value.clone()).collect()
}

/// Leases that the items of its `each` steps open, as `outer.step`.
fn opened_by_items(body: &Body) -> Vec<String> {
    let steps = body.steps.iter().chain(&body.always);
    let opened = steps.filter_map(|step| match &step.verb {
        Verb::Each(each) => Some((&step.id.value, own(&each.body))),
        _ => None,
    });
    let named = opened.flat_map(|(outer, steps)| {
        let named = move |step| format!("{outer}.{step}");
        steps.into_iter().map(named)
    });
    named.collect()
}

/// All leases of a runbook, as they are called where they can be reached.
fn named(body: &Body, all: &mut Vec<String>) {
    all.extend(own(body));
    all.extend(opened_by_items(body));
    for step in body.steps.iter().chain(&body.always) {
        match &step.verb {
            // Its own leases are there already, as `outer.step`.
            Verb::Each(each) => all.extend(inner(&each.body)),
            Verb::Repeat(repeat) => named(&repeat.body, all),
            _ => {}
        }
    }
}

fn inner(body: &Body) -> Vec<String> {
    let (mut all, own) = (Vec::new(), own(body));
    named(body, &mut all);
    all.retain(|name| !own.contains(name));
    all
}
