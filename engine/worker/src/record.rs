//! What an ended lane leaves beside its parent.

use crate::scope::View;
use crate::spawn::{each_of, program_index};
use crate::{Driver, Trouble};
use hostler_core::definition::Collect;
use hostler_core::lane::{Lane, Origin};
use hostler_core::result::LaneResult;
use hostler_core::view::ChildRecord;
use serde_json::{Map, Value, json};

/// Longest `collect` of a child in bytes of JSON.
const COLLECT_MAX_BYTES: usize = 16 * 1024;
/// Longest record of a round's steps in bytes of JSON.
const STEPS_MAX_BYTES: usize = 64 * 1024;

impl Driver {
    pub(crate) async fn record(
        &self,
        lane: &Lane,
        result: LaneResult,
        note: Option<String>,
    ) -> Result<ChildRecord, Trouble> {
        let view = View::of(self, lane, lane.ended_ms.unwrap_or_default()).await?;
        let each = program_index(lane).and_then(|body| each_of(&view.definition, body));
        let item = each
            .and_then(|each| lane.opening.locals.get(&each.binds))
            .cloned()
            .unwrap_or_default();
        let collect = match each.and_then(|each| each.collect.as_ref()) {
            Some(collect) => self.collect(&view, collect).await?,
            None => outputs(&view).await?,
        };
        let is_round = each.is_none();
        Ok(ChildRecord {
            result,
            note,
            index: lane
                .opening
                .parent
                .as_ref()
                .map_or(0, |parent| parent.index),
            item,
            collect,
            steps: if is_round { steps(lane) } else { Value::Null },
        })
    }

    async fn collect(&self, view: &View<'_>, collect: &Collect) -> Result<Value, Trouble> {
        let value = match collect {
            Collect::Expression(expression) => {
                let scope = view.scope(&[expression]).await?;
                self.parts
                    .evaluate
                    .evaluate(expression, &scope)
                    .unwrap_or(Value::Null)
            }
            Collect::Paths(paths) => collected(view.lane, paths),
        };
        let fits = value.to_string().len() <= COLLECT_MAX_BYTES;
        Ok(if fits {
            value
        } else {
            json!({ "too_large": true })
        })
    }
}

/// `look.set` becomes `set`.
fn collected(lane: &Lane, paths: &[String]) -> Value {
    let mut values = Map::new();
    for path in paths {
        let mut names = path.split('.');
        let Some(result) = names.next().and_then(|step| lane.results.get(step)) else {
            continue;
        };
        let mut value = &result.output;
        let mut last = "";
        for name in names {
            last = name;
            value = value.get(name).unwrap_or(&Value::Null);
        }
        values.insert(last.to_owned(), value.clone());
    }
    Value::Object(values)
}

/// The declared outputs of a called runbook.
async fn outputs(view: &View<'_>) -> Result<Value, Trouble> {
    let mut values = Map::new();
    if view.lane.opening.origin != Origin::Program(0) {
        return Ok(Value::Null);
    }
    for (name, dynamic) in &view.definition.outputs {
        let mut named = Vec::new();
        crate::resolve::expressions(dynamic, &mut named);
        let scope = view.scope(&named).await?;
        let value = view
            .driver
            .parts
            .evaluate
            .resolve(dynamic, &scope)
            .unwrap_or(Value::Null);
        values.insert(name.clone(), value);
    }
    Ok(Value::Object(values))
}

fn steps(lane: &Lane) -> Value {
    let steps: Map<_, _> = lane
        .results
        .iter()
        .map(|(id, result)| (id.to_string(), crate::scope::result_value(result)))
        .collect();
    let value = Value::Object(steps);
    if value.to_string().len() <= STEPS_MAX_BYTES {
        value
    } else {
        json!({ "too_large": true })
    }
}
