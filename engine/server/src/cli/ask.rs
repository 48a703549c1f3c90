//! `hostler ask`: forms that wait for an answer.

use super::{Context, approve, asked, question};
use crate::failure::Failure;
use clap::Subcommand;
use hostler_api::services::decide::FormAsk;
use hostler_core::lane::PersonKind;
use serde_json::{Map, Value};
use std::path::PathBuf;

#[derive(Subcommand)]
pub enum AskCommand {
    /// Forms that wait
    List {
        /// Only what you may answer
        #[arg(long)]
        mine: bool,
    },
    /// A form with what is displayed
    Show { question: String },
    /// Fill a form in; without fields, with an empty answer
    Answer {
        /// Id of the question or of its run; the beginning is enough
        question: String,
        /// A field: name=value; lists are separated by commas or written as JSON
        #[arg(short = 'f', long = "field", value_name = "NAME=VALUE")]
        fields: Vec<String>,
        /// The whole answer as a JSON file
        #[arg(long, conflicts_with = "fields")]
        file: Option<PathBuf>,
    },
}

pub async fn run(context: &Context, command: AskCommand) -> Result<(), Failure> {
    let client = context.client()?;
    match command {
        AskCommand::List { mine } => {
            let rows = question::list(&client, mine, PersonKind::is_form).await?;
            context.out.list(&asked::waiting_rows(&rows), &rows)
        }
        AskCommand::Show { question } => {
            let row = question::find(&client, &question, PersonKind::is_form).await?;
            let view = question::show(&client, &row).await?;
            context.out.one(&asked::question(&view), &view)
        }
        AskCommand::Answer {
            question,
            fields,
            file,
        } => {
            let row = question::find(&client, &question, PersonKind::is_form).await?;
            let answer = match file {
                Some(path) => serde_json::from_str(&std::fs::read_to_string(path)?)?,
                None => from_fields(&row.form, &fields)?,
            };
            let ask = FormAsk {
                signs: row.signs,
                answer,
            };
            let answer: Value = client
                .post(&format!("/api/v1/waiting/{}/answer", row.lane), &ask, None)
                .await?;
            context.out.one(&approve::settled(&answer), &answer)
        }
    }
}

/// Texts become what the form's schema wants.
fn from_fields(form: &Value, fields: &[String]) -> Result<Value, Failure> {
    let mut answer = Map::new();
    for field in fields {
        let (name, text) = field
            .split_once('=')
            .ok_or_else(|| Failure::Usage(format!("{field} is not name=value")))?;
        let schema = form
            .get("properties")
            .and_then(|properties| properties.get(name));
        answer.insert(name.to_owned(), typed(schema.unwrap_or(&Value::Null), text));
    }
    Ok(Value::Object(answer))
}

/// A text as the kind of value that a JSON Schema asks for.
pub fn typed(schema: &Value, text: &str) -> Value {
    let kind = schema
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let as_json = || serde_json::from_str::<Value>(text).ok();
    match kind {
        "string" => Value::String(text.to_owned()),
        "array" => as_json().filter(Value::is_array).unwrap_or_else(|| {
            let items = schema.get("items").unwrap_or(&Value::Null);
            let parts = text
                .split(',')
                .map(str::trim)
                .filter(|part| !part.is_empty());
            Value::Array(parts.map(|part| typed(items, part)).collect())
        }),
        _ => as_json()
            .filter(|value| !value.is_string())
            .unwrap_or_else(|| Value::String(text.to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn texts_become_what_the_schema_wants() {
        let cases = [
            (json!({ "type": "string" }), "5", json!("5")),
            (json!({ "type": "integer" }), "5", json!(5)),
            (json!({ "type": "boolean" }), "true", json!(true)),
            (
                json!({ "type": "array", "items": { "type": "string" } }),
                "a, 2",
                json!(["a", "2"]),
            ),
            (json!({ "type": "array" }), "[1]", json!([1])),
            (json!({}), "5d", json!("5d")),
            (Value::Null, "null", Value::Null),
        ];
        for (schema, text, expected) in cases {
            assert_eq!(typed(&schema, text), expected, "{schema} {text}");
        }
    }
}
