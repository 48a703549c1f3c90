//! Drives one lane with named inputs and checks the invariants after each.
//!
//! Not here: any guess at what should happen; a refusal is handed back.

use super::build::{BEGIN_MS, TIMEOUT_MS, lane};
use super::letters::*;
use super::watch::{Watch, folds_from_json};
use hostler_core::command::{AskEntry, Choice, Command, Entry, Input, SpawnEntry};
use hostler_core::contract::Effect as Class;
use hostler_core::debt::Debt;
use hostler_core::decide::{Context, Decision, decide};
use hostler_core::definition::{
    After, Approve, Ask, AskRules, Definition, OnDeny, Owing, Spawn, Verb, Who,
};
use hostler_core::effect::Effect;
use hostler_core::event::{ChildEnd, Event, Recorded};
use hostler_core::expression::Dynamic;
use hostler_core::id::Digest;
use hostler_core::lane::*;
use hostler_core::plan::Route;
use hostler_core::refusal::Refusal;
use hostler_core::result::LaneResult;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// How long a lost call may still land.
pub const SETTLE_MS: i64 = 100;

/// A definition and the list of its `each`, if it has one.
pub struct World {
    pub definition: Definition,
    pub items: Vec<Item>,
    pub waves: Vec<WaveRange>,
    pub customers: Vec<(String, u32)>,
    pub slots: BTreeMap<String, Slot>,
}

impl World {
    pub fn of(definition: Definition) -> Self {
        Self {
            definition,
            items: Vec::new(),
            waves: Vec::new(),
            customers: Vec::new(),
            slots: BTreeMap::new(),
        }
    }

    pub fn with_items(mut self, items: Vec<Item>, waves: &[(u32, u64)]) -> Self {
        let mut from = 0;
        for (number, (size, soak_ms)) in waves.iter().enumerate() {
            let (name, to) = (format!("w{number}"), from + size);
            self.waves.push(WaveRange {
                name,
                from,
                to,
                soak_ms: *soak_ms,
                opens_ms: None,
                counts_windows: false,
            });
            from = to;
        }
        self.items = items;
        self
    }

    pub fn context(&self) -> Context<'_> {
        Context {
            definition: &self.definition,
            items: &self.items,
            settle_ms: SETTLE_MS,
        }
    }

    pub fn decide(&self, lane: &Lane, input: Input, at_ms: i64) -> Result<Decision, Refusal> {
        decide(self.context(), lane, input, at_ms)
    }

    /// What a worker finds when it evaluates the step under the cursor and nothing is missing.
    pub fn entry(&self, lane: &Lane, at_ms: i64) -> Option<Entry> {
        if let Some(of) = lane.undoing_child() {
            return Some(Entry::UndoChild { of });
        }
        let program = lane.program(&self.definition)?.into_owned();
        let step = lane.step(&program)?;
        Some(match &step.verb {
            Verb::Do(action) => Entry::Do(Arc::new(spec(&action.action, action.effect))),
            Verb::Approve(approve) => Entry::Person(Box::new(asking(approve, at_ms))),
            Verb::Ask(ask) if ask.later => Entry::Detach,
            Verb::Ask(ask) => Entry::Person(Box::new(form(ask, at_ms))),
            Verb::Notify(notify) => Entry::Notify {
                template: notify.template.clone(),
                to: Vec::new(),
                about: Value::Null,
            },
            Verb::Wait(_) => Entry::Wait {
                until_ms: at_ms + 10,
            },
            Verb::Spawn(Spawn::Each(_)) => Entry::Spawn(Box::new(SpawnEntry::Each {
                items: Digest::of(b"items"),
                total: u32::try_from(self.items.len()).unwrap(),
                waves: self.waves.clone(),
                customers: self.customers.clone(),
                slots: self.slots.clone(),
            })),
            Verb::Spawn(Spawn::Repeat(_)) => Entry::Spawn(Box::new(SpawnEntry::Rounds)),
            Verb::Spawn(Spawn::Call(_)) => Entry::Spawn(Box::new(SpawnEntry::Call {
                plan: Digest::of(b"other"),
            })),
            Verb::Release { .. } => Entry::Release {
                output: Value::Null,
            },
            Verb::Finish(finish) => Entry::Finish {
                verdict: hostler_core::result::Verdict {
                    result: LaneResult::named(&finish.result).unwrap(),
                    note: None,
                    step: Some(step.id.to_string()),
                },
                of_run: finish.of_run,
            },
        })
    }

    /// The question of the gate behind a wave.
    pub fn gate(&self, lane: &Lane, at_ms: i64) -> Option<Box<AskEntry>> {
        let program = lane.program(&self.definition)?.into_owned();
        let Verb::Spawn(Spawn::Each(each)) = &lane.step(&program)?.verb else {
            return None;
        };
        let approve = &each.gate.as_ref()?.approve;
        let kind = PersonKind::WaveGate;
        Some(Box::new(AskEntry {
            kind,
            ..asking(approve, at_ms)
        }))
    }
}

pub fn spec(action: &str, effect: Class) -> CallSpec {
    CallSpec {
        action: action.to_owned(),
        input: Value::Null,
        asset: None,
        route: Route {
            connection: "c".to_owned(),
            plugin: "practice".to_owned(),
            address: None,
            reference: None,
            host_key: None,
            handles: Default::default(),
        },
        plugin: Digest::of(b"practice"),
        effect,
        timeout_ms: TIMEOUT_MS,
        locks: effect
            .mutates()
            .then(|| "asset:a".to_owned())
            .into_iter()
            .collect(),
        slot: Some(("slot:c".to_owned(), 4)),
        overdraws: Vec::new(),
    }
}

fn asking(approve: &Approve, at_ms: i64) -> AskEntry {
    AskEntry {
        kind: PersonKind::Approve,
        title: "Go on?".to_owned(),
        clauses: clauses(&approve.who),
        quorum: approve.quorum,
        form: Value::Null,
        shown: None,
        signs: Digest::of(b"shown"),
        excluded: vec!["starter".to_owned()],
        expires_ms: approve
            .expires_ms
            .map(|ms| at_ms.saturating_add_unsigned(ms)),
        on_expire: approve.on_expire,
        on_deny: approve.on_deny,
        rules: rules(&approve.rules, at_ms),
        debt: None,
    }
}

fn form(ask: &Ask, at_ms: i64) -> AskEntry {
    AskEntry {
        kind: PersonKind::Ask,
        title: "Tell us".to_owned(),
        clauses: clauses(&ask.who),
        quorum: 1,
        form: json!({ "type": "object" }),
        shown: None,
        signs: Digest::of(b"form"),
        excluded: Vec::new(),
        expires_ms: ask.expires_ms.map(|ms| at_ms.saturating_add_unsigned(ms)),
        on_expire: ask.on_expire,
        on_deny: OnDeny::Stop,
        rules: rules(&ask.rules, at_ms),
        debt: ask.debt.as_ref().map(|owing| debt(owing, at_ms)),
    }
}

/// A ladder of three rungs every 30 ms, whatever its name; days are milliseconds here.
/// One asset of each of two customers.
fn debt(owing: &Owing, at_ms: i64) -> Box<Debt> {
    let one = |customer: &str, asset: &str| (customer.to_owned(), [asset.to_owned()].into());
    Box::new(Debt {
        says: "owed".to_owned(),
        owed: [one("chem", "web1"), one("law", "web2")].into(),
        blocks: owing.blocks.clone(),
        cured_by: owing.cured_by.clone(),
        since_ms: at_ms,
        due_ms: None,
    })
}

fn rules(rules: &AskRules, at_ms: i64) -> Rules {
    let rung = |number: i64, who: &str| Rung {
        from_ms: at_ms + 30 * number,
        asks: vec![who.to_owned()],
    };
    let climb = |ladder: &String| Climb {
        ladder: ladder.clone(),
        rungs: vec![
            rung(0, "role:first"),
            rung(1, "role:second"),
            rung(2, "role:third"),
        ],
        reached: 0,
        denies_ms: at_ms + 90,
    };
    let after = |after: &After| match after {
        After::Ms(ms) => at_ms.saturating_add_unsigned(*ms),
        After::BusinessDays(days) => at_ms + i64::from(*days),
    };
    let typed = match &rules.typed {
        Some(Dynamic::Literal(Value::String(text))) => Some(text.clone()),
        _ => None,
    };
    Rules {
        typed,
        step_up: None,
        may_waive: rules.may_waive.clone(),
        ladder: rules.ladder.as_ref().map(climb),
        remind: (!rules.remind.is_empty()).then(|| Remind {
            at_ms: rules.remind.iter().map(after).collect(),
            done: 0,
            about: json!({ "title": "Go on?" }),
        }),
        finish: rules.finish.clone(),
        must: BTreeMap::new(),
    }
}

fn clauses(who: &Who) -> Vec<Clause> {
    who.clauses
        .iter()
        .map(|clause| {
            let Dynamic::Literal(Value::String(who)) = &clause.who else {
                panic!("a literal qualification");
            };
            Clause {
                any_of: vec![who.clone()],
                at_least: clause.at_least,
            }
        })
        .collect()
}

/// One lane on its way.
pub struct Drive {
    pub world: World,
    pub lane: Lane,
    pub now_ms: i64,
    pub watch: Watch,
    /// Of the newest decision.
    pub events: Vec<Event>,
    pub effects: Vec<Effect>,
    /// All of them, from the opening on.
    pub log: Vec<Recorded>,
}

impl Drive {
    pub fn of(world: World) -> Self {
        Self::from(world, lane())
    }

    pub fn from(world: World, lane: Lane) -> Self {
        Self {
            watch: Watch::default(),
            now_ms: BEGIN_MS,
            events: Vec::new(),
            effects: Vec::new(),
            log: vec![opened(&lane)],
            world,
            lane,
        }
    }

    /// Events of this input, or the refusal.
    pub fn take(&mut self, input: Input) -> Result<Vec<Event>, Refusal> {
        let (known, at_ms) = (input.clone(), self.now_ms);
        let decision = self.world.decide(&self.lane, input, at_ms)?;
        self.watch
            .check(&self.world, &self.lane, &known, &decision, at_ms)
            .and_then(|()| folds_from_json(&self.lane, &decision))
            .unwrap_or_else(|broken| panic!("{broken} after {known:?}"));
        self.lane = decision.lane;
        self.effects = decision.effects;
        self.log.extend(decision.events.iter().cloned());
        self.events = decision.events.into_iter().map(|r| r.event).collect();
        Ok(self.events.clone())
    }

    pub fn ok(&mut self, input: Input) -> &mut Self {
        let shown = format!("{input:?}");
        self.take(input)
            .unwrap_or_else(|refusal| panic!("{shown} was refused: {refusal}"));
        self
    }

    pub fn refused(&mut self, input: Input) -> Refusal {
        self.take(input).expect_err("a refusal")
    }

    /// Enters the step under the cursor.
    pub fn enter(&mut self) -> &mut Self {
        let entry = self.world.entry(&self.lane, self.now_ms).unwrap();
        self.ok(Input::Enter(entry))
    }

    pub fn gate(&mut self) -> &mut Self {
        let gate = self.world.gate(&self.lane, self.now_ms);
        self.ok(Input::EnterGate(gate))
    }

    pub fn after(&mut self, ms: i64) -> &mut Self {
        self.now_ms += ms;
        self
    }

    pub fn command(&mut self, command: Command) -> &mut Self {
        self.ok(Input::Command(command))
    }

    pub fn done(&mut self) -> &mut Self {
        self.ok(Input::Answered(done()))
    }

    pub fn cancel(&mut self) -> &mut Self {
        self.command(cancel())
    }

    pub fn choose(&mut self, choice: Choice) -> &mut Self {
        self.command(choose(choice))
    }

    /// A live child ends.
    pub fn ends(&mut self, key: &str, result: LaneResult) -> &mut Self {
        let end = self.end_of(key, result, false);
        self.ok(Input::ChildrenEnded(vec![end]))
    }

    pub fn end_of(&self, key: &str, result: LaneResult, open_undo: bool) -> ChildEnd {
        let live = &self.lane.children.as_ref().unwrap().live[key];
        end_of(key, live, result, open_undo)
    }

    pub fn live(&self) -> Vec<&str> {
        let children = self.lane.children.as_ref();
        children.map_or_else(Vec::new, |children| {
            children.live.keys().map(String::as_str).collect()
        })
    }

    pub fn phase(&self) -> &'static str {
        self.lane.phase.name()
    }

    pub fn result(&self) -> Option<LaneResult> {
        let ended = self.lane.has_ended();
        ended.then(|| self.lane.verdict.as_ref().unwrap().result)
    }

    pub fn asked(&self) -> PersonKind {
        let Phase::Person(person) = &self.lane.phase else {
            panic!("nobody is asked, the lane is {}", self.phase());
        };
        person.kind
    }
}

fn opened(lane: &Lane) -> Recorded {
    let opening = Box::new((*lane.opening).clone());
    Recorded::new(Event::LaneOpened { opening }, lane.opened_ms)
}
