//! An instant query to Prometheus.
//!
//! Not here: what a query means. An empty result is handed on as such: it never means that all is well.

use crate::reply;
use hostler_sdk::{Context, HttpRequest, Stop};
use serde::Deserialize;
use std::collections::BTreeMap;

#[derive(Deserialize)]
struct Answered {
    status: String,
    #[serde(default)]
    error: String,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "resultType")]
    kind: String,
    result: Vec<Sample>,
}

/// One series and its value now.
#[derive(Debug, Deserialize)]
pub struct Sample {
    pub metric: BTreeMap<String, String>,
    value: (f64, String),
}

impl Sample {
    /// Exactly one: not a half, not NaN.
    pub fn is_one(&self) -> bool {
        self.value.1 == "1"
    }

    /// For people: the target, and the job that asked.
    pub fn name(&self, label: &str) -> String {
        let text = |key: &str| self.metric.get(key).map_or("?", String::as_str);
        format!("{} (job {})", text(label), text("job"))
    }
}

/// # Errors
/// When the connection `prometheus` is not granted, or Prometheus does not answer with a vector.
pub fn query(ctx: &mut Context<'_>, query: &str) -> Result<Vec<Sample>, Stop> {
    if ctx.call.grant("prometheus").is_none() {
        return Err(Stop::reject(
            "no Prometheus is named: add `handles: { prometheus: <connection> }` to the Alertmanager's connection",
        ));
    }
    let path = format!("/api/v1/query?query={}", reply::percent(query));
    let response = ctx.send("prometheus", &HttpRequest::get(path))?;
    let answered: Answered = reply::body("Prometheus", &response)?;
    match answered.data {
        Some(data) if answered.status == "success" && data.kind == "vector" => Ok(data.result),
        _ => Err(Stop::reject(format!(
            "Prometheus did not answer {query} with a vector: {}",
            answered.error
        ))),
    }
}
