//! Small definitions in a few words. Durations are tiny so that instants are easy to read.
//!
//! Not here: anything a compiled runbook could not hold.

use hostler_core::contract::{Effect, Impact};
use hostler_core::definition::*;
use hostler_core::expression::{Dynamic, Expression};
use hostler_core::id::{Digest, RunId};
use hostler_core::lane::{Item, Lane, Opening, Origin};
use serde_json::Value;
use uuid::Uuid;

/// Timeout of every action.
pub const TIMEOUT_MS: u64 = 1_000;
pub const BEGIN_MS: i64 = 1_000_000;

pub fn act(id: &str, effect: Effect) -> Step {
    Step::bare(
        id,
        Verb::Do(Do {
            action: format!("practice.{id}"),
            with: Dynamic::null(),
            effect,
            impact: Impact::Change,
            needs_asset: false,
            timeout_ms: TIMEOUT_MS,
        }),
    )
}

pub fn read(id: &str) -> Step {
    act(id, Effect::Read)
}

pub fn repeatable(id: &str) -> Step {
    act(id, Effect::Repeatable)
}

pub fn once(id: &str) -> Step {
    act(id, Effect::Once)
}

pub fn wait(id: &str) -> Step {
    let until = WaitUntil::For(Dynamic::Literal(10.into()));
    Step::bare(id, Verb::Wait(Wait { until }))
}

pub fn who(clauses: &[(&str, u32)]) -> Who {
    let clause = |(who, at_least): &(&str, u32)| WhoClause {
        who: Dynamic::Literal((*who).into()),
        at_least: *at_least,
    };
    Who {
        clauses: clauses.iter().map(clause).collect(),
    }
}

pub fn approve(quorum: u32, on_expire: OnExpire, on_deny: OnDeny) -> Approve {
    Approve {
        who: who(&[("role:board", 1)]),
        quorum,
        title: None,
        show: Vec::new(),
        say: None,
        condition: None,
        expires_ms: Some(100),
        on_expire,
        on_deny,
        rules: AskRules::default(),
    }
}

pub fn approval(id: &str) -> Step {
    Step::bare(id, Verb::Approve(approve(1, OnExpire::Deny, OnDeny::Stop)))
}

pub fn ask(id: &str) -> Step {
    let ask = Ask {
        who: who(&[("role:board", 1)]),
        title: None,
        form: Value::Null,
        show: Vec::new(),
        expires_ms: Some(100),
        on_expire: OnExpire::Deny,
        later: false,
        key: None,
        rules: AskRules::default(),
        debt: None,
    };
    Step::bare(id, Verb::Ask(ask))
}

pub fn finish(id: &str, result: &str) -> Step {
    let finish = Finish {
        result: result.to_owned(),
        of_run: false,
        note: None,
    };
    Step::bare(id, Verb::Finish(finish))
}

/// An `each` over items; everything else at its default.
pub fn each_of() -> Each {
    Each {
        over: Over::Times(Dynamic::null()),
        binds: "item".to_owned(),
        key: None,
        body: 1,
        at_once: AtOnce {
            ramp: Ramp::Fixed(2),
            per: Vec::new(),
        },
        take: None,
        on_failure: OnFailure::Stop,
        collect: None,
        waves: Vec::new(),
        stop_at: None,
        gate: None,
        lead_ms: None,
        overflow: None,
    }
}

pub fn gate() -> Option<Gate> {
    Some(Gate {
        approve: approve(1, OnExpire::Deny, OnDeny::Stop),
    })
}

pub fn each(id: &str, each: Each) -> Step {
    Step::bare(id, Verb::Spawn(Spawn::Each(Box::new(each))))
}

pub fn repeat(id: &str, at_most: u32, until: bool, on_exhausted: OnExhausted) -> Step {
    let repeat = Repeat {
        body: 1,
        at_most: Some(at_most),
        for_ms: None,
        every_ms: 10,
        until: until.then(|| Expression("true".to_owned())),
        on_exhausted,
    };
    Step::bare(id, Verb::Spawn(Spawn::Repeat(repeat)))
}

pub fn call(id: &str) -> Step {
    let call = Call {
        runbook: "other".to_owned(),
        with: Dynamic::null(),
        wait: true,
    };
    Step::bare(id, Verb::Spawn(Spawn::Call(call)))
}

/// What stands around a step.
pub trait Around: Sized {
    fn undo(self, alternatives: Vec<Step>) -> Self;
    fn failing(self, on_failure: OnFailure) -> Self;
    fn retry(self, times: u32) -> Self;
    fn no_return(self) -> Self;
    fn conditional(self) -> Self;
    fn noticed(self) -> Self;
    fn rolling(self, every_ms: u64) -> Self;
}

impl Around for Step {
    fn undo(mut self, alternatives: Vec<Step>) -> Self {
        self.undo = alternatives;
        self
    }

    fn failing(mut self, on_failure: OnFailure) -> Self {
        self.on_failure = on_failure;
        self
    }

    fn retry(mut self, times: u32) -> Self {
        self.retry = Retry { times, wait_ms: 10 };
        self
    }

    fn no_return(mut self) -> Self {
        self.no_return = true;
        self
    }

    fn conditional(mut self) -> Self {
        self.condition = Some(Expression("true".to_owned()));
        self
    }

    fn noticed(mut self) -> Self {
        self.notices = Some(NoticePlan {
            remind_ms: Some(20 * 60_000),
            template: "maintenance".to_owned(),
            invite: false,
            floor_ms: None,
            holds_unproven: false,
            defer_until_ms: None,
            every_ms: None,
            ways: Vec::new(),
            alternates: false,
        });
        self
    }

    fn rolling(mut self, every_ms: u64) -> Self {
        self = self.noticed();
        let notices = self.notices.as_mut().unwrap();
        (notices.every_ms, notices.remind_ms) = (Some(every_ms), None);
        self
    }
}

pub fn definition(steps: Vec<Step>, always: Vec<Step>) -> Definition {
    let program = Program {
        steps,
        always,
        binds: None,
    };
    Definition {
        format: 1,
        runbook: "small".to_owned(),
        version: 1,
        title: "Small".to_owned(),
        owner: "tests".to_owned(),
        source: Digest::of(b"small"),
        policy: Policy {
            class: "planned".to_owned(),
            start: Vec::new(),
            four_eyes: true,
            withdraw: Vec::new(),
        },
        needs: Default::default(),
        inputs: Default::default(),
        outputs: Default::default(),
        spend: Default::default(),
        programs: vec![program, Program::default()],
        templates: Default::default(),
    }
}

pub fn opening(origin: Origin) -> Opening {
    let run = RunId(Uuid::from_u128(7));
    Opening {
        origin,
        ..Opening::root(run, Digest::of(b"definition"), Digest::of(b"plan"))
    }
}

pub fn lane() -> Lane {
    Lane::open(opening(Origin::Program(0)), BEGIN_MS)
}

/// Items `i0`, `i1`, … each with its groups.
pub fn items(groups: &[&[&str]]) -> Vec<Item> {
    groups
        .iter()
        .enumerate()
        .map(|(number, groups)| Item {
            key: format!("i{number}"),
            value: number.into(),
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        })
        .collect()
}
