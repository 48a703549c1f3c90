//! Random small runbooks, as a compiler could have made them.
//!
//! Not here: nesting of steps inside waves and rounds (see `bodies`), and any text form.

use crate::bodies;
use crate::chance::Chance;
use hostler_core::contract::{Effect, Impact};
use hostler_core::definition::{
    Approve, Ask, AskRules, Call, Definition, Do, Finish, LeaseEnd, Notify, OnDeny, OnExpire,
    OnFailure, Policy, Program, ProgramIndex, Recipient, Retry, Spawn, Step, StepLease, Verb, Wait,
    WaitUntil, Who, WhoClause,
};
use hostler_core::expression::{Dynamic, Expression};
use hostler_core::id::Digest;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Writes one definition.
pub struct Author<'a> {
    pub chance: &'a mut Chance,
    pub steps_max: u64,
    pub programs: Vec<Program>,
    /// Ids are unique in the whole definition, so that an action's name tells its step.
    number: u32,
    /// Lanes of this program work on an asset.
    pub on_asset: bool,
    pub has_call: bool,
}

/// The main runbook, and the one that it may call.
#[must_use]
pub fn pair(chance: &mut Chance, steps_max: u64) -> (Definition, Definition) {
    let other = definition(chance, 2.min(steps_max), "other", false);
    (definition(chance, steps_max, "main", true), other)
}

fn definition(chance: &mut Chance, steps_max: u64, name: &str, has_call: bool) -> Definition {
    let mut author = Author {
        chance,
        steps_max,
        programs: vec![Program::default()],
        number: 0,
        on_asset: false,
        has_call,
    };
    // A lane holds the lock of one asset to its end: one that spawns over assets has none itself.
    // The called runbook is a child of one that may hold a lock, so it wants none.
    author.on_asset = has_call && author.chance.percent(40);
    let fans_out = has_call && !author.on_asset;
    let main = author.main(fans_out);
    author.programs[0] = main;
    Definition {
        format: 1,
        runbook: name.to_owned(),
        version: 1,
        title: name.to_owned(),
        owner: "simulation".to_owned(),
        source: Digest::of(name.as_bytes()),
        policy: Policy {
            class: "planned".to_owned(),
            start: Vec::new(),
            four_eyes: false,
            withdraw: Vec::new(),
        },
        needs: BTreeMap::new(),
        inputs: BTreeMap::new(),
        outputs: BTreeMap::new(),
        spend: BTreeSet::new(),
        programs: author.programs,
        templates: BTreeMap::new(),
    }
}

impl Author<'_> {
    fn main(&mut self, fans_out: bool) -> Program {
        let mut steps: Vec<Step> = Vec::new();
        let count = 1 + self.chance.below(self.steps_max);
        for _ in 0..count {
            let lease = steps
                .iter()
                .find(|step| step.lease.is_some())
                .map(|step| step.id.to_string());
            steps.push(self.main_step(fans_out, lease));
        }
        if self.on_asset {
            keep_off(&mut steps);
        }
        let always = (0..self.chance.below(3)).map(|_| self.act()).collect();
        Program {
            steps,
            always,
            binds: None,
        }
    }

    fn main_step(&mut self, fans_out: bool, lease: Option<String>) -> Step {
        let id = self.id();
        match (self.chance.below(24), lease) {
            (0..=6, _) => self.act(),
            (7 | 22, _) => self.leased(),
            (8, _) => self.waiting(),
            (9 | 10, _) => self.approval(),
            (11, _) => self.question(false),
            (12, _) => self.question(true),
            (13, _) => self.report(),
            (14, _) if self.chance.percent(30) => self.finish(),
            (15 | 19 | 23, Some(lease)) => Step::bare(&id, Verb::Release { lease }),
            (16 | 17, _) => bodies::rounds(self, &id),
            (18, _) if self.has_call => {
                let wait = self.chance.percent(70);
                let call = Call {
                    runbook: "other".to_owned(),
                    with: Dynamic::null(),
                    wait,
                };
                let step = Step::bare(&id, Verb::Spawn(Spawn::Call(call)));
                self.around(step)
            }
            (_, _) if fans_out => bodies::waves(self, &id),
            _ => self.act(),
        }
    }

    pub fn id(&mut self) -> String {
        self.number += 1;
        format!("s{}", self.number)
    }

    /// Puts a program behind the others.
    pub fn add(&mut self, program: Program) -> ProgramIndex {
        self.programs.push(program);
        ProgramIndex::try_from(self.programs.len() - 1).unwrap_or(0)
    }

    fn action(&mut self, id: &str) -> Do {
        let effect = self.chance.pick(&[
            Effect::Read,
            Effect::Repeatable,
            Effect::Repeatable,
            Effect::Once,
            Effect::Once,
        ]);
        self.action_of(id, effect)
    }

    fn action_of(&mut self, id: &str, effect: Effect) -> Do {
        let name = match effect {
            Effect::Read => "read",
            Effect::Repeatable => "repeatable",
            Effect::Once => "once",
        };
        let timeout_ms = u64::try_from(self.chance.between(8, 60)).unwrap_or(8) * 1_000;
        Do {
            action: format!("sim.{name}_{id}"),
            with: Dynamic::Literal(json!({})),
            effect,
            impact: if effect == Effect::Once {
                Impact::Outage
            } else {
                Impact::Change
            },
            needs_asset: self.on_asset,
            timeout_ms,
        }
    }

    /// A call of a plugin with what may stand around it.
    pub fn act(&mut self) -> Step {
        let id = self.id();
        let action = self.action(&id);
        let mut step = Step::bare(&id, Verb::Do(action));
        for _ in 0..self.chance.below(3) {
            let undo = format!("{id}u{}", step.undo.len());
            let effect = self.chance.pick(&[Effect::Repeatable, Effect::Once]);
            let undoes = self.action_of(&undo, effect);
            step.undo.push(Step::bare(&undo, Verb::Do(undoes)));
        }
        step.no_return = self.chance.percent(5);
        self.around(step)
    }

    /// Failure behaviour, repeats, a condition.
    pub fn around(&mut self, mut step: Step) -> Step {
        step.on_failure = self.chance.pick(&[
            OnFailure::Stop,
            OnFailure::Undo,
            OnFailure::Hold,
            OnFailure::Continue,
            OnFailure::Ask,
        ]);
        step.retry = Retry {
            times: u32::try_from(self.chance.below(3)).unwrap_or(0),
            wait_ms: 1_000,
        };
        if self.chance.percent(10) {
            let known = self.chance.pick(&["true", "false", "missing.name"]);
            step.condition = Some(Expression(known.to_owned()));
        }
        step
    }

    /// Every second lease tells that it ends soon.
    fn leased(&mut self) -> Step {
        let mut step = self.act();
        let end = self.action_of(&format!("{}end", step.id), Effect::Repeatable);
        let for_ms = u64::try_from(self.chance.between(5_000, 60_000)).unwrap_or(5_000);
        step.lease = Some(StepLease {
            for_ms,
            end: LeaseEnd { action: end },
            blocks: Vec::new(),
            warn_ms: self.number.is_multiple_of(2).then_some(for_ms / 3),
        });
        step
    }

    pub fn waiting(&mut self) -> Step {
        let id = self.id();
        let until = WaitUntil::For(Dynamic::Literal(self.chance.between(1_000, 40_000).into()));
        Step::bare(&id, Verb::Wait(Wait { until }))
    }

    pub fn approve(&mut self) -> Approve {
        Approve {
            who: board(),
            quorum: 1 + u32::try_from(self.chance.below(2)).unwrap_or(0),
            title: None,
            show: vec![Expression("plan".to_owned())],
            say: None,
            condition: None,
            expires_ms: self.expiry(),
            on_expire: self.chance.pick(&[OnExpire::Deny, OnExpire::Escalate]),
            on_deny: self.chance.pick(&[OnDeny::Stop, OnDeny::Continue]),
            rules: AskRules::default(),
        }
    }

    fn expiry(&mut self) -> Option<u64> {
        let soon = self.chance.between(10_000, 60_000);
        let some = self.chance.percent(50);
        u64::try_from(soon).ok().filter(|_| some)
    }

    fn approval(&mut self) -> Step {
        let id = self.id();
        let approve = self.approve();
        let step = Step::bare(&id, Verb::Approve(approve));
        self.around(step)
    }

    fn question(&mut self, later: bool) -> Step {
        let id = self.id();
        let ask = Ask {
            who: board(),
            title: None,
            form: Value::Null,
            show: Vec::new(),
            expires_ms: self.expiry(),
            on_expire: self.chance.pick(&[OnExpire::Deny, OnExpire::Escalate]),
            later,
            key: None,
            rules: AskRules::default(),
            debt: None,
        };
        Step::bare(&id, Verb::Ask(ask))
    }

    fn report(&mut self) -> Step {
        let id = self.id();
        let notify = Notify {
            template: "report".to_owned(),
            to: vec![Recipient(Dynamic::Literal("person:ada".into()))],
            about: None,
        };
        Step::bare(&id, Verb::Notify(notify))
    }

    pub fn finish(&mut self) -> Step {
        let id = self.id();
        let finish = Finish {
            result: self
                .chance
                .pick(&["succeeded", "held", "failed", "nothing"])
                .to_owned(),
            of_run: self.chance.percent(40),
            note: None,
        };
        let mut step = Step::bare(&id, Verb::Finish(finish));
        // Else nothing behind it would ever be reached.
        let known = self.chance.pick(&["true", "false", "false"]);
        step.condition = Some(Expression(known.to_owned()));
        step
    }
}

fn board() -> Who {
    Who {
        clauses: vec![WhoClause {
            who: Dynamic::Literal("role:board".into()),
            at_least: 1,
        }],
    }
}

/// Leases keep off a change of their own list by turns: one before them, so that other runs over the asset wait, and one
/// behind them, which their own lane comes to with the lock in hand. No draw of its own: seeds stay what they were.
fn keep_off(steps: &mut [Step]) {
    let change = |step: &Step| match &step.verb {
        Verb::Do(action) if action.effect.mutates() => Some(action.action.clone()),
        _ => None,
    };
    let changes: Vec<_> = steps.iter().map(change).collect();
    for (place, step) in steps.iter_mut().enumerate() {
        let (before, behind) = (&changes[..place], &changes[place + 1..]);
        let blocked = match place.is_multiple_of(3) {
            true => behind.iter().flatten().next(),
            false => before.iter().flatten().next(),
        };
        if let Some(lease) = &mut step.lease {
            lease.blocks.extend(blocked.cloned());
        }
    }
}
