//! What expressions of a lane can see, built from only what their text names.
//!
//! Results of ended children are read once and kept. A child that asks for its own entry
//! (`steps.scan.by[asset.id]`) reads one record, however many there are.

mod names;
mod values;

use crate::spawn::program_index;
use crate::{Driver, Trouble};
use hostler_core::definition::{Definition, Program, Spawn, Step, Verb};
use hostler_core::expression::{Expression, Scope};
use hostler_core::id::LaneId;
use hostler_core::lane::Lane;
use hostler_core::plan::Plan;
use hostler_core::result::StepResult;
use hostler_core::view::ChildRecord;
use hostler_ports::store::Cursor;
use names::Names;
use serde_json::{Map, Value, json};
use std::sync::Arc;
pub use values::{asset_of, instant_text, result as result_value};

/// Most records of ended children that one expression may look at.
const RECORDS_MAX: usize = 10_000;

/// A lane with everything that is fixed around it.
#[derive(Clone)]
pub struct View<'a> {
    pub driver: &'a Driver,
    pub lane: &'a Lane,
    pub plan: Arc<Plan>,
    pub definition: Arc<Definition>,
    pub now_ms: i64,
}

/// Where a step's result was found.
struct Found {
    owner: LaneId,
    kind: Kind,
    result: Arc<StepResult>,
}

/// What a result needs beside its output.
enum Kind {
    Plain,
    /// The form's schema: fields that name assets become their records.
    Ask(Value),
    Each,
    Repeat,
    Call,
}

fn found(lane: &Lane, definition: &Definition, id: &str) -> Option<Found> {
    let result = lane.results.get(id)?.clone();
    // What a question or the end of a lease has taken over stands in the program of its opener.
    let program = definition.program(program_index(lane)?)?;
    let step = program
        .steps
        .iter()
        .chain(&program.always)
        .find(|step| &*step.id == id);
    let kind = match step.map(|step| &step.verb) {
        Some(Verb::Ask(ask)) => Kind::Ask(ask.form.clone()),
        Some(Verb::Spawn(Spawn::Each(_))) => Kind::Each,
        Some(Verb::Spawn(Spawn::Repeat(_))) => Kind::Repeat,
        Some(Verb::Spawn(Spawn::Call(_))) => Kind::Call,
        _ => Kind::Plain,
    };
    let inherited = lane.opening.inherited.contains_key(id);
    let opener = lane.opening.opener.filter(|_| inherited);
    Some(Found {
        owner: opener.unwrap_or(lane.id()),
        kind,
        result,
    })
}

impl<'a> View<'a> {
    pub async fn of(driver: &'a Driver, lane: &'a Lane, now_ms: i64) -> Result<View<'a>, Trouble> {
        let store = &*driver.parts.store;
        let definition = driver
            .cache
            .definition(store, lane.opening.definition)
            .await?;
        let plan = driver.cache.plan(store, lane.opening.plan).await?;
        Ok(Self {
            driver,
            lane,
            plan,
            definition,
            now_ms,
        })
    }

    /// A scope in which these expressions can be evaluated.
    pub async fn scope(&self, expressions: &[&Expression]) -> Result<Scope, Trouble> {
        let names = Names::of(expressions.iter().map(|expression| expression.0.as_str()));
        let mut scope = Scope::new();
        scope.insert("now".to_owned(), instant_text(self.now_ms).into());
        if names.roots.contains("inputs") {
            scope.insert(
                "inputs".to_owned(),
                values::inputs(&self.plan, &self.definition),
            );
        }
        if names.roots.contains("run") {
            scope.insert(
                "run".to_owned(),
                values::run(self.lane, &self.plan, self.now_ms),
            );
        }
        if names.roots.contains("policy") {
            scope.insert("policy".to_owned(), json!({ "spend": self.plan.spend }));
        }
        for (name, value) in &self.lane.opening.locals {
            scope.insert(name.clone(), values::expand(value, &self.plan));
        }
        let mut steps = Map::new();
        for id in &names.steps {
            if let Some(value) = self.step_value(id, &names).await? {
                steps.insert(id.clone(), value);
            }
        }
        scope.insert("steps".to_owned(), Value::Object(steps));
        let round = self.lane.opening.locals.get("round");
        let number = round.and_then(|round| round.get("number")?.as_u64());
        if let (Some(number), Some(parent)) = (number, &self.lane.opening.parent) {
            let rounds = (parent.lane, &*parent.step);
            self.round_names(&names, rounds, number, &mut scope).await?;
        }
        Ok(scope)
    }

    /// What a round's lane saw, for an expression that its parent evaluates behind it.
    pub async fn scope_of_round(
        &self,
        expression: &Expression,
        step: &str,
        number: u64,
    ) -> Result<Scope, Trouble> {
        let mut scope = self.scope(&[expression]).await?;
        let names = Names::of([expression.0.as_str()].into_iter());
        scope.insert("round".to_owned(), json!({ "number": number }));
        self.round_names(&names, (self.lane.id(), step), number, &mut scope)
            .await?;
        Ok(scope)
    }

    /// `previous` and `rounds` of one of the rounds of that lane and step.
    async fn round_names(
        &self,
        names: &Names,
        (lane, step): (LaneId, &str),
        number: u64,
        scope: &mut Scope,
    ) -> Result<(), Trouble> {
        if names.roots.contains("previous") {
            let key = format!("{step}/{}", number.saturating_sub(1));
            let record = self.record(lane, key).await?;
            scope.insert(
                "previous".to_owned(),
                record.map_or_else(|| json!({}), |record| record.steps),
            );
        }
        if names.roots.contains("rounds") {
            let mut rounds = Vec::new();
            for earlier in 1..number {
                let record = self.record(lane, format!("{step}/{earlier}")).await?;
                rounds.extend(record.map(|record| record.steps));
            }
            scope.insert("rounds".to_owned(), Value::Array(rounds));
        }
        Ok(())
    }

    async fn step_value(&self, id: &str, names: &Names) -> Result<Option<Value>, Trouble> {
        let Some(found) = self.find(id).await? else {
            return Ok(None);
        };
        let mut value = values::result(&found.result);
        let extra = match &found.kind {
            Kind::Plain => return Ok(Some(value)),
            Kind::Ask(form) => {
                values::expand_form(&mut value, form, &self.plan);
                return Ok(Some(value));
            }
            Kind::Each if names.own_entry_only(id) => self.own_entry(id, &found).await?,
            Kind::Each => (*self.all_entries(id, &found).await?).clone(),
            Kind::Repeat => self.rounds_of(id, &found).await?,
            Kind::Call => self.call_of(id, &found).await?,
        };
        if let (Value::Object(into), Value::Object(extra)) = (&mut value, extra) {
            into.extend(extra);
        }
        Ok(Some(value))
    }

    /// A step's result in this lane or in the nearest ancestor that has it.
    async fn find(&self, id: &str) -> Result<Option<Found>, Trouble> {
        if let Some(found) = found(self.lane, &self.definition, id) {
            return Ok(Some(found));
        }
        let opening = &self.lane.opening;
        let mut parent = match opening.opener {
            Some(opener) => {
                let opener = self.ancestor(opener, Arc::from("opener"), 0).await?;
                opener.opening.parent.clone()
            }
            None => opening.parent.clone(),
        };
        // Bounded by the depth of the tree of lanes.
        while let Some(next) = parent {
            let lane = self.ancestor(next.lane, next.step, next.iteration).await?;
            let store = &*self.driver.parts.store;
            let cache = &self.driver.cache;
            let definition = cache.definition(store, lane.opening.definition).await?;
            if let Some(found) = found(&lane, &definition, id) {
                return Ok(Some(found));
            }
            parent = lane.opening.parent.clone();
        }
        Ok(None)
    }

    async fn ancestor(
        &self,
        lane: LaneId,
        step: Arc<str>,
        iteration: u32,
    ) -> Result<Arc<Lane>, Trouble> {
        let key = (lane, step, iteration);
        if let Some(known) = self.driver.cache.ancestor(&key) {
            return Ok(known);
        }
        let loaded = crate::turn::read_lane(&*self.driver.parts.store, lane, None, None).await?;
        let lane = Arc::new(loaded.lane);
        self.driver.cache.keep_ancestor(key, Arc::clone(&lane));
        Ok(lane)
    }

    async fn record(&self, lane: LaneId, key: String) -> Result<Option<ChildRecord>, Trouble> {
        let records = self.driver.parts.store.child_records(lane, &[key]).await?;
        let Some(text) = records
            .into_iter()
            .next()
            .flatten()
            .and_then(|child| child.record)
        else {
            return Ok(None);
        };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|fault| Trouble::Unreadable(fault.to_string()))
    }

    /// Only the entry of this lane's own asset.
    async fn own_entry(&self, id: &str, found: &Found) -> Result<Value, Trouble> {
        let Some(asset) = asset_of(self.lane, &self.plan) else {
            return Ok(json!({ "by": {} }));
        };
        let record = self.record(found.owner, format!("{id}/{asset}")).await?;
        let by: Map<_, _> = record
            .map(|record| (asset, record.collect))
            .into_iter()
            .collect();
        Ok(json!({ "by": by }))
    }

    /// `.done`, `.failed`, `.held`, `.by` of an `each`.
    async fn all_entries(&self, id: &str, found: &Found) -> Result<Arc<Value>, Trouble> {
        let key = (found.owner, Arc::from(id), found.result.ended_ms);
        if let Some(known) = self.driver.cache.view(&key) {
            return Ok(known);
        }
        let records = self.records(found.owner, &format!("{id}/")).await?;
        let view = Arc::new(values::entries(records, &self.plan));
        self.driver.cache.keep_view(key, Arc::clone(&view));
        Ok(view)
    }

    async fn records(
        &self,
        lane: LaneId,
        prefix: &str,
    ) -> Result<Vec<(String, ChildRecord)>, Trouble> {
        let mut records = Vec::new();
        let mut after = Cursor::default();
        // Bounded: a lane has at most RECORDS_MAX children a step, and few such steps.
        loop {
            let page = self.driver.parts.store.children(lane, after).await?;
            for child in page.entries {
                let Some(text) = child.record.filter(|_| child.key.starts_with(prefix)) else {
                    continue;
                };
                let record = serde_json::from_str(&text).map_err(|fault| {
                    Trouble::Unreadable(format!("record of {}: {fault}", child.key))
                })?;
                records.push((child.key[prefix.len()..].to_owned(), record));
            }
            match page.next {
                Some(next) if records.len() < RECORDS_MAX => after = next,
                _ => return Ok(records),
            }
        }
    }

    async fn rounds_of(&self, id: &str, found: &Found) -> Result<Value, Trouble> {
        let last = found
            .result
            .output
            .get("rounds")
            .and_then(Value::as_u64)
            .unwrap_or(0);
        let record = self.record(found.owner, format!("{id}/{last}")).await?;
        Ok(json!({ "last": record.map_or_else(|| json!({}), |record| record.steps) }))
    }

    async fn call_of(&self, id: &str, found: &Found) -> Result<Value, Trouble> {
        let record = self.record(found.owner, format!("{id}/call")).await?;
        Ok(record.map_or(Value::Null, |record| record.collect))
    }

    /// The program of the lane.
    pub fn program(&self) -> Option<std::borrow::Cow<'_, Program>> {
        self.lane.program(&self.definition)
    }

    pub fn step<'p>(&self, program: &'p Program) -> Option<&'p Step> {
        self.lane.step(program)
    }
}
