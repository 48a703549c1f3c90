//! Leases: what ends one, how long it lasts, and what it blocks meanwhile.
//!
//! Not here: what a `release` reaches (`releases`).

use super::Checker;
use super::actions::{defaults, required};
use super::flow::wait_ms;
use crate::ast::{Body, Dyn, Lease, Step, Text, Verb};
use crate::codes;
use hostler_core::contract::Action;
use hostler_core::duration;
use hostler_core::expression::Dynamic;

impl<'e> Checker<'_, '_, 'e> {
    /// What ends it, and what it blocks, against the contracts.
    pub(super) fn lease(&mut self, lease: &Lease, action: &Action, with: Option<&Dyn>) {
        self.blocked(lease, action);
        let Some(end) = self.resolve(&lease.end) else {
            return;
        };
        let given = defaults(end, action, with, "step");
        if let Some(missing) = required(end)
            .into_iter()
            .find(|name| !given.contains_key(*name))
        {
            self.faults.add(
                codes::LEASE_END,
                lease.end.span,
                format!(
                    "{} needs `{missing}`, which {} neither takes nor gives",
                    end.name, action.name
                ),
                match &action.inverse {
                    Some(inverse) => format!("end it with {inverse}"),
                    None => {
                        "choose an end that needs only the step's inputs and outputs".to_owned()
                    }
                },
            );
        }
    }

    /// A block that holds nobody is none: it keeps changes of assets off the asset of the step.
    fn blocked(&mut self, lease: &Lease, action: &Action) {
        let Some(first) = lease.blocks.first() else {
            return;
        };
        if !action.needs_asset {
            self.faults.add(
                codes::LEASE_BLOCKS,
                first.span,
                format!(
                    "{} works on no asset, so its lease blocks nothing",
                    action.name
                ),
                "leave `blocks` out",
            );
            return;
        }
        for name in &lease.blocks {
            let Some(known) = self.known_action(name) else {
                continue;
            };
            let why = match (known.effect.mutates(), known.needs_asset) {
                (true, true) => continue,
                (false, _) => "only reads",
                (true, false) => "works on no asset",
            };
            self.faults.add(
                codes::LEASE_BLOCKS,
                name.span,
                format!("{} {why}, so nothing of it is blocked", known.name),
                "leave it out: a lease blocks what changes its asset",
            );
        }
    }

    /// An action of any contract that is there: nobody here calls it, so it need not be in `needs`.
    fn known_action(&mut self, name: &Text) -> Option<&'e Action> {
        let env = self.env;
        let contract = name.value.split_once('.').map(|(contract, _)| contract);
        let declared = contract.and_then(|contract| self.needs.get(contract).copied());
        let newest = || env.contracts.get(contract?)?.keys().next_back().copied();
        let Some(major) = declared.or_else(newest) else {
            // No action, or of no contract: said as of any other step.
            return self.resolve(name);
        };
        let found = env.action(major, &name.value);
        if found.is_none() {
            self.no_action(name, major);
        }
        found
    }

    /// A lease must outlast the waits for people behind it, and must not block its own lane: it ends behind that.
    pub(super) fn leases(&mut self, body: &Body) {
        for (index, step) in body.steps.iter().enumerate() {
            let Some(lease) = &step.lease else { continue };
            self.blocks_itself(step, lease, &body.steps[index + 1..]);
            let behind = body.steps[index + 1..].iter().take_while(|later| !matches!(&later.verb, Verb::Release { lease } if lease.value == step.id.value));
            let waits: u64 = behind.map(wait_ms).sum();
            if waits > lease.for_ms {
                let (is, needs) = (duration::write_ms(lease.for_ms), duration::write_ms(waits));
                self.faults.add(
                    codes::TOO_SHORT,
                    lease.span,
                    format!("the lease ends after {is}, the waits behind it may take {needs}"),
                    format!("write `for: {needs}`, or ask before this step"),
                );
            }
        }
    }

    /// The end of a lease needs the asset's lock, which a lane keeps to its own end, whatever it releases before.
    fn blocks_itself(&mut self, opener: &Step, lease: &Lease, behind: &[Step]) {
        let mut left: Vec<&Step> = behind.iter().rev().collect();
        // Each step once.
        while let Some(step) = left.pop() {
            match &step.verb {
                Verb::Do { action, .. } if named(step) == named(opener) => {
                    let blocked = lease.blocks.iter().find(|name| name.value == action.value);
                    let Some(blocked) = blocked else { continue };
                    let (own, name) = (&opener.id.value, &action.value);
                    let message = format!(
                        "`{own}` blocks {name} until its own lane has ended, and `{}` is that lane's",
                        step.id.value
                    );
                    let remedy = format!(
                        "do it in an `each` behind this one, after `release: outer.{own}`, or leave it out of `blocks`"
                    );
                    self.faults
                        .add(codes::LEASE_BLOCKS, blocked.span, message, remedy);
                    self.faults.relate(action.span, "what would never begin");
                }
                Verb::Repeat(repeat) => left.extend(repeat.body.steps.iter().rev()),
                _ => {}
            }
        }
    }
}

/// What a step says of its asset; none: it is the lane's.
fn named(step: &Step) -> Option<Dynamic> {
    match &step.verb {
        Verb::Do {
            with: Some(with), ..
        } => with.get("asset").map(Dyn::core),
        _ => None,
    }
}
