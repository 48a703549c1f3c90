//! What a form offers: the choices that were displayed with it, and the values that stand where nothing is given.
//!
//! Not here: reading the choices when the form is asked (the worker), and judging an answer (at the doors).

use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// Under which name a field's schema says where its choices come from.
pub const FROM: &str = "x-from";
/// Under which name a field's schema says how its default is worked out when the form is asked.
pub const DEFAULT: &str = "x-default";
/// Under which name a display lists the choices, by field.
pub const CHOICES: &str = "choices";
/// How many choices a refusal repeats.
const NAMED_MAX: usize = 20;

/// What can be chosen of a list: a text or number is itself, a record its `id`. None: something in it is neither.
#[must_use]
pub fn choices(list: &Value) -> Option<Vec<Value>> {
    list.as_array()?.iter().map(choice).collect()
}

fn choice(item: &Value) -> Option<Value> {
    match item {
        Value::String(_) | Value::Number(_) => Some(item.clone()),
        Value::Object(record) => record.get("id").filter(|id| id.is_string()).cloned(),
        _ => None,
    }
}

/// The answer with each field that is not given at its default.
#[must_use]
pub fn completed(form: &Value, mut answer: Value) -> Value {
    let fields = form.get("properties").and_then(Value::as_object);
    if let (Some(fields), Value::Object(given)) = (fields, &mut answer) {
        for (name, schema) in fields {
            if let Some(default) = schema.get("default").filter(|_| !given.contains_key(name)) {
                given.insert(name.clone(), default.clone());
            }
        }
    }
    answer
}

/// What was answered beside the choices of a display, a sentence for each field.
#[must_use]
pub fn beside(display: &Value, answer: &Value) -> Vec<String> {
    let offered = display.get(CHOICES).and_then(Value::as_object);
    let judged = offered
        .into_iter()
        .flatten()
        .filter_map(|(field, choices)| {
            let choices = choices.as_array()?;
            let stray = strays(answer.get(field)?, choices)?;
            let names: Vec<String> = choices.iter().take(NAMED_MAX).map(text).collect();
            let more = if choices.len() > NAMED_MAX {
                ", …"
            } else {
                ""
            };
            let stray = text(stray);
            Some(match names.is_empty() {
                true => format!("{field}: `{stray}` cannot be chosen: there is no choice"),
                false => format!("{field}: `{stray}` is none of {}{more}", names.join(", ")),
            })
        });
    judged.collect()
}

/// The first value that is no choice.
fn strays<'a>(answer: &'a Value, choices: &[Value]) -> Option<&'a Value> {
    let known: BTreeSet<String> = choices.iter().map(Value::to_string).collect();
    let given = match answer {
        Value::Array(given) => given.as_slice(),
        Value::Null => &[],
        one => std::slice::from_ref(one),
    };
    given
        .iter()
        .find(|value| !known.contains(&value.to_string()))
}

fn text(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// The fields whose choices are read when the form is asked, with where from.
pub fn sources(form: &Value) -> impl Iterator<Item = (&String, &str)> {
    fields(form).filter_map(|(name, schema)| Some((name, schema.get(FROM)?.as_str()?)))
}

/// The fields whose default is worked out when the form is asked, with the expression.
pub fn computed(form: &Value) -> impl Iterator<Item = (&String, &str)> {
    fields(form).filter_map(|(name, schema)| Some((name, schema.get(DEFAULT)?.as_str()?)))
}

fn fields(form: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let fields: Option<&Map<String, Value>> = form.get("properties").and_then(Value::as_object);
    fields.into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::{beside, choices, completed};
    use serde_json::json;

    #[test]
    fn a_record_is_chosen_by_its_id_and_a_text_is_itself() {
        let list = json!([{ "id": "p1", "age": "9h" }, "p2", 3]);
        assert_eq!(
            choices(&list),
            Some(vec![json!("p1"), json!("p2"), json!(3)])
        );
        assert_eq!(choices(&json!([{ "age": "9h" }])), None);
        assert_eq!(choices(&json!({})), None);
    }

    #[test]
    fn what_is_not_answered_stands_at_its_default() {
        let form = json!({ "properties": { "kept": { "default": 3 }, "why": {}, "where": { "default": "here" } } });
        let given = json!({ "where": null, "why": "x" });
        let expected = json!({ "where": null, "why": "x", "kept": 3 });
        assert_eq!(completed(&form, given), expected);
    }

    #[test]
    fn an_answer_beside_the_choices_names_them() {
        let display = json!({ "choices": { "point": ["p1", "p2"], "out": ["a"], "none": [] } });
        let good = json!({ "point": "p2", "out": [], "free": "text", "none": null });
        assert_eq!(beside(&display, &good), Vec::<String>::new());
        let bad = json!({ "point": "p3", "out": ["a", "b"], "none": "c" });
        let expected = [
            "none: `c` cannot be chosen: there is no choice",
            "out: `b` is none of a",
            "point: `p3` is none of p1, p2",
        ];
        assert_eq!(beside(&display, &bad), expected);
        assert!(beside(&json!({}), &bad).is_empty(), "nothing was offered");
    }
}
