//! What the rules of a form's fields see: read when the form is asked, and kept with the question, so that an
//! answer is judged by what stood there when somebody was asked.
//!
//! Not here: judging an answer (at the doors), and `now`, which is the moment of the answer.

use super::{Fault, Outcome};
use crate::scope::View;
use hostler_core::definition::must::FieldRule;
use hostler_core::expression::Scope;
use hostler_core::lane::Must;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// Largest sum of what the rules of one form see, in bytes of JSON: it lies in the lane's log.
const SEES_MAX_BYTES: usize = 16 * 1024;

pub async fn kept(
    view: &View<'_>,
    rules: &BTreeMap<String, FieldRule>,
) -> Outcome<BTreeMap<String, Must>> {
    let mut kept = BTreeMap::new();
    let mut bytes = 0;
    for (field, FieldRule { rule, sees }) in rules {
        let scope = view.scope(&[rule]).await?;
        let sees = seen(&scope, sees);
        bytes += Value::Object(sees.clone()).to_string().len();
        let rule = rule.clone();
        kept.insert(field.clone(), Must { rule, sees });
    }
    if bytes > SEES_MAX_BYTES {
        return Err(Fault::Step(format!(
            "the rules of the form look at {bytes} bytes; {SEES_MAX_BYTES} is the limit: compare with less, as with a number that a step gives"
        )));
    }
    Ok(kept)
}

/// Of a scope only what these paths name.
fn seen(scope: &Scope, paths: &[String]) -> Scope {
    let mut seen = Map::new();
    for path in paths {
        let names: Vec<&str> = path.split('.').collect();
        let Some((root, names)) = names.split_first() else {
            continue;
        };
        if let Some(value) = scope.get(*root) {
            let into = seen.entry((*root).to_owned()).or_insert(Value::Null);
            merge(into, part(value, names));
        }
    }
    seen
}

/// The value along a path, within the objects around it. What is missing is missing there, too.
fn part(value: &Value, names: &[&str]) -> Value {
    let (Value::Object(entries), Some((first, rest))) = (value, names.split_first()) else {
        return value.clone();
    };
    let inner = entries.get(*first).map(|inner| part(inner, rest));
    let inner = inner.map(|inner| ((*first).to_owned(), inner));
    Value::Object(inner.into_iter().collect())
}

fn merge(into: &mut Value, more: Value) {
    match (into, more) {
        (Value::Object(into), Value::Object(more)) => {
            for (name, value) in more {
                merge(into.entry(name).or_insert(Value::Null), value);
            }
        }
        (into, more) => *into = more,
    }
}

#[cfg(test)]
mod tests {
    use super::seen;
    use serde_json::{Value, json};

    #[test]
    fn a_rule_keeps_what_it_names_and_nothing_else() {
        let Value::Object(scope) = json!({
            "inputs": { "why": "loss", "asset": { "id": "db1", "ring": "canary", "name": "db" }, "paths": ["/a"] },
            "steps": { "scan": { "done": [1, 2], "state": "succeeded" } },
            "now": "2030-01-01T00:00:00Z",
        }) else {
            panic!("it is an object")
        };
        let paths = [
            "inputs.asset.name",
            "inputs.asset.ring",
            "inputs.why",
            "inputs.why.more",
            "inputs.no.such",
            "previous.x",
            "steps.later.state",
            "steps.scan.state",
        ];
        let kept = seen(&scope, &paths.map(str::to_owned));
        let expected = json!({
            "inputs": { "why": "loss", "asset": { "ring": "canary", "name": "db" } },
            "steps": { "scan": { "state": "succeeded" } },
        });
        assert_eq!(Value::Object(kept), expected);
    }

    #[test]
    fn a_path_of_the_whole_keeps_the_whole_whatever_else_is_named() {
        let Value::Object(scope) =
            json!({ "inputs": { "asset": { "id": "db1", "ring": "canary" } } })
        else {
            panic!("it is an object")
        };
        for paths in [
            ["inputs.asset", "inputs.asset.ring"],
            ["inputs.asset.ring", "inputs.asset"],
        ] {
            assert_eq!(seen(&scope, &paths.map(str::to_owned)), scope);
        }
    }
}
