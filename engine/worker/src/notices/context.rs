//! What templates may name: of one customer only that customer's assets.
//!
//! Not here: the words.

use super::Notice;
use super::prospect::{ASSETS_MAX, WORK_MS};
use crate::scope::{View, instant_text};
use crate::{Driver, Trouble};
use hostler_core::event::Stage;
use hostler_core::lane::Slot;
use hostler_core::mail::{Announced, Becomes, CalendarEntry, Difference};
use hostler_core::view::{ChildRecord, rows};
use serde_json::{Value, json};

impl Driver {
    /// What a customer's template may name.
    pub(super) async fn context(
        &self,
        view: &View<'_>,
        notice: &Notice<'_>,
        was: Option<&Announced>,
        now: Option<&Announced>,
    ) -> Result<Value, Trouble> {
        let Notice {
            stage, customer, ..
        } = *notice;
        let plan = &view.plan;
        let record = self
            .parts
            .directory
            .customer(customer)
            .unwrap_or_else(|| json!({ "id": customer }));
        let zone = self
            .parts
            .directory
            .zone(Some(customer))
            .unwrap_or_else(|| "UTC".to_owned());
        // The first word names all that is planned; what is told later names what is still to come.
        let later = was.is_some();
        // Who stands in for others has nothing to compare it with.
        let was = was.filter(|_| notice.instead.is_none());
        let results = self.results_of(view, notice, now.filter(|_| later)).await?;
        let assets: Vec<_> = results
            .iter()
            .take(ASSETS_MAX)
            .map(|(id, result)| {
                let name = plan
                    .assets
                    .get(id)
                    .and_then(|asset| asset.get("name")?.as_str())
                    .unwrap_or(id);
                json!({ "id": id, "name": name, "result": result })
            })
            .collect();
        let Slot { starts_ms, ends_ms } = slot_of(view, notice);
        let progress = self.progress(view, notice, &zone).await?;
        Ok(json!({
            "customer": { "id": customer, "name": record.get("name").unwrap_or(&json!(customer)) },
            "run": { "id": plan.run, "reference": reference(plan.run) },
            "runbook": { "id": plan.runbook, "title": view.definition.title, "version": plan.version },
            "assets": assets,
            "count": results.len(),
            "when": {
                "start_local": local(starts_ms, &zone),
                "start_utc": instant_text(starts_ms),
                "end_local": local(ends_ms, &zone),
                "end_utc": instant_text(ends_ms),
                "zone": zone,
            },
            "stage": stage.name(),
            "impact": "each server may restart once; allow for some minutes without it",
            "note": plan.starter.reason.clone().unwrap_or_default(),
            "contact": self.parts.settings.contact,
            "changes": was.zip(now).map_or_else(Vec::new, |(was, now)| changes(was, now, &zone)),
            "progress": progress,
        }))
    }

    /// The customer's assets of the present step with what became of them.
    async fn results_of(
        &self,
        view: &View<'_>,
        notice: &Notice<'_>,
        now: Option<&Announced>,
    ) -> Result<Vec<(String, String)>, Trouble> {
        let Notice { stage, keys, .. } = *notice;
        if stage != Stage::Completed && stage != Stage::Cancelled {
            let is_in = |key: &&String| now.is_none_or(|now| now.assets.contains_key(*key));
            let planned = |key: &String| (key.clone(), "planned".to_owned());
            return Ok(keys.iter().filter(is_in).map(planned).collect());
        }
        self.records_of(view, keys).await
    }

    /// Items of the present step with what became of them, as far as it is recorded.
    pub(super) async fn records_of(
        &self,
        view: &View<'_>,
        keys: &[String],
    ) -> Result<Vec<(String, String)>, Trouble> {
        let step = rows::present_step(view.lane, &view.definition).unwrap_or_else(|| "".into());
        let mut results = Vec::new();
        for keys in keys.chunks(hostler_ports::store::READ_MAX) {
            let wanted: Vec<_> = keys
                .iter()
                .map(|key| rows::record_key(&step, key))
                .collect();
            let records = self
                .parts
                .store
                .child_records(view.lane.id(), &wanted)
                .await?;
            for (key, child) in keys.iter().zip(records) {
                let record: Option<ChildRecord> =
                    child.and_then(|child| serde_json::from_str(child.record.as_deref()?).ok());
                let result = record.map_or("not touched", |record| record.result.name());
                results.push((key.clone(), result.to_owned()));
            }
        }
        Ok(results)
    }
}

/// What a report may name; of the run's servers those that `sees` lets through.
pub(super) fn report(
    driver: &Driver,
    view: &View<'_>,
    about: &Value,
    sees: &dyn Fn(&Value) -> bool,
) -> Value {
    let plan = &view.plan;
    let steps: Vec<_> = view
            .lane
            .results
            .iter()
            .filter(|(_, result)| result.output.get("total").is_some())
            .map(|(id, result)| {
                json!({ "id": id, "state": result.state.name(), "total": result.output["total"], "results": counts(&result.output) })
            })
            .collect();
    json!({
        "run": { "id": plan.run, "reference": reference(plan.run), "starter": plan.starter.who },
        "runbook": { "id": plan.runbook, "title": view.definition.title, "version": plan.version },
        "targets": plan.assets.values().filter(|asset| sees(asset)).count(),
        "assets": named(plan, sees),
        "note": summary_of(&steps),
        "contact": driver.parts.settings.contact,
        "steps": steps,
        "about": about,
        "stage": "report",
        "when": { "start_utc": instant_text(plan.started_ms), "end_utc": instant_text(view.now_ms) },
    })
}

/// The assets of a run as templates list them.
fn named(plan: &hostler_core::plan::Plan, sees: &dyn Fn(&Value) -> bool) -> Vec<Value> {
    let name = |asset: &Value, id: &str| {
        asset
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or(id)
            .to_owned()
    };
    let assets = plan.assets.iter().filter(|(_, asset)| sees(asset));
    let assets = assets.take(ASSETS_MAX);
    assets
        .map(|(id, asset)| json!({ "id": id, "name": name(asset, id) }))
        .collect()
}

/// `scan: 40 succeeded; patch: 39 succeeded, 1 rolled_back`.
fn summary_of(steps: &[Value]) -> String {
    let text = |step: &Value, name: &str| step[name].as_str().unwrap_or_default().to_owned();
    let lines: Vec<_> = steps
        .iter()
        .map(|step| format!("{}: {}", text(step, "id"), text(step, "results")))
        .collect();
    lines.join("; ")
}

/// `12 succeeded, 1 failed`.
fn counts(output: &Value) -> String {
    let Some(results) = output.get("results").and_then(Value::as_object) else {
        return String::new();
    };
    let counts: Vec<_> = results
        .iter()
        .map(|(result, count)| format!("{count} {result}"))
        .collect();
    counts.join(", ")
}

pub(super) fn reference(run: hostler_core::id::RunId) -> String {
    run.to_string().chars().take(8).collect()
}

/// The date there, as ISO 8601; without a zone UTC's.
pub(crate) fn date(zone: Option<String>, at_ms: i64) -> String {
    let zone = zone.unwrap_or_else(|| "UTC".to_owned());
    let instant = jiff::Timestamp::from_millisecond(at_ms);
    let zoned = instant.and_then(|instant| instant.in_tz(&zone));
    zoned.map_or_else(
        |_| instant_text(at_ms).chars().take(10).collect(),
        |zoned| zoned.date().to_string(),
    )
}

/// In words, as people there read it.
pub(super) fn local(at_ms: i64, zone: &str) -> String {
    let instant = jiff::Timestamp::from_millisecond(at_ms);
    let zoned = instant.and_then(|instant| instant.in_tz(zone));
    zoned.map_or_else(
        |_| instant_text(at_ms),
        |zoned| zoned.strftime("%A %-d %B %Y %H:%M").to_string(),
    )
}

/// When the work happens; what is not announced, or whose time nobody can say, happens now.
fn slot_of(view: &View<'_>, notice: &Notice<'_>) -> Slot {
    let happens_now = matches!(notice.stage, Stage::Started | Stage::Completed);
    notice.slot.filter(|_| !happens_now).unwrap_or(Slot {
        starts_ms: view.now_ms,
        ends_ms: view.now_ms + WORK_MS,
    })
}

/// `{ name, was, is }`, both in words.
fn changes(was: &Announced, now: &Announced, zone: &str) -> Vec<Value> {
    let words = |difference: Difference| {
        let was = difference.was_ms;
        json!({
            "name": difference.name,
            "was": was.map_or_else(|| "no time was known".to_owned(), |at_ms| local(at_ms, zone)),
            "is": match difference.is {
                Becomes::At(at_ms) => local(at_ms, zone),
                Becomes::Dropped => "not part of this work any more".to_owned(),
            },
        })
    };
    was.differences(now).into_iter().map(words).collect()
}

pub(super) fn calendar(view: &View<'_>, notice: &Notice<'_>) -> Option<CalendarEntry> {
    let sequence = match notice.stage {
        Stage::Scheduled | Stage::Changed => notice.revision,
        Stage::Cancelled => notice.revision + 1,
        Stage::Started
        | Stage::Completed
        | Stage::Reminder
        | Stage::Progress
        | Stage::Report
        | Stage::Asked => return None,
    };
    let (run, customer) = (view.lane.opening.run, notice.customer);
    let Slot { starts_ms, ends_ms } = slot_of(view, notice);
    Some(CalendarEntry {
        uid: format!("{run}-{customer}@hostler"),
        sequence,
        start_ms: starts_ms,
        end_ms: ends_ms,
        cancelled: notice.stage == Stage::Cancelled,
        summary: view.definition.title.clone(),
        description: format!("{} (reference {})", view.definition.title, reference(run)),
        stamp_ms: view.now_ms,
    })
}
