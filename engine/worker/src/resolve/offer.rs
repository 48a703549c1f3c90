//! What a form offers, read when it is asked: the choices of its fields, and defaults that are worked out.
//!
//! Not here: what can be chosen of a list, and what an answer beside it is told (core).

use super::{Fault, Outcome};
use crate::scope::View;
use hostler_core::definition::offer;
use hostler_core::expression::Expression;
use serde_json::{Map, Value, json};

/// Largest default that is worked out, in bytes of JSON: it lies in the lane's log.
const DEFAULT_MAX_BYTES: usize = 1024;
/// Most choices of one field; the display that lists them has a limit in bytes of its own.
const CHOICES_MAX: usize = 20_000;

/// The form with its defaults, and what is displayed of its choices.
pub async fn offered(view: &View<'_>, form: &Value) -> Outcome<(Value, Map<String, Value>)> {
    let mut asked = form.clone();
    for (field, text) in offer::computed(form) {
        let value = view.evaluate(&Expression(text.to_owned())).await?;
        let bytes = value.to_string().len();
        if bytes > DEFAULT_MAX_BYTES {
            let why = format!(
                "the default of `{field}` has {bytes} bytes; {DEFAULT_MAX_BYTES} is the limit"
            );
            return Err(Fault::Step(why));
        }
        if let Some(schema) = asked["properties"][field].as_object_mut() {
            schema.remove(offer::DEFAULT);
            schema.insert("default".to_owned(), value);
        }
    }
    let mut choices = Map::new();
    for (field, text) in offer::sources(form) {
        let list = view.evaluate(&Expression(text.to_owned())).await?;
        choices.insert(field.clone(), Value::Array(listed(field, text, &list)?));
    }
    let mut display = Map::new();
    if !choices.is_empty() {
        display.insert(offer::CHOICES.to_owned(), json!(choices));
    }
    Ok((asked, display))
}

fn listed(field: &str, text: &str, list: &Value) -> Outcome<Vec<Value>> {
    let choices = offer::choices(list).ok_or_else(|| {
        Fault::Step(format!(
            "`{field}` is chosen from `{text}`, which is no list of texts, numbers or records with an id"
        ))
    })?;
    if choices.len() > CHOICES_MAX {
        return Err(Fault::Step(format!(
            "`{field}` has {} choices; {CHOICES_MAX} is the limit",
            choices.len()
        )));
    }
    Ok(choices)
}
