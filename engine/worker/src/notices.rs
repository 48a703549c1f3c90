//! Messages to people, as lanes of the mail queue: made in the commit that makes them due.

use crate::scope::{View, instant_text};
use crate::turn::Hold;
use crate::{Driver, Trouble};
use hostler_core::event::Stage;
use hostler_core::gate::{Told, told_document};
use hostler_core::id::{LaneId, derive};
use hostler_core::lane::Lane;
use hostler_core::mail::{CalendarEntry, MailEvent, MailSpec};
use hostler_core::view::{ChildRecord, MailRow, index};
use hostler_ports::store::{Batch, DocumentWrite, IndexChange, Priority, Queue, Spawn};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Contacts of one customer, or staff behind one role, that one notice reaches.
const RECIPIENTS_MAX: usize = 50;
/// Assumed length of announced work until a window says it.
const WORK_MS: i64 = 4 * 3_600_000;
/// Assets that a notice lists by name.
const ASSETS_MAX: usize = 500;

struct Recipient {
    person: String,
    name: String,
    address: String,
}

impl Driver {
    /// One message per contact of the customer, with only that customer's assets.
    pub(crate) async fn notices(
        &self,
        hold: &Hold,
        lane: &Lane,
        stage: Stage,
        customer: &str,
        template: &str,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        let view = View::of(self, lane, hold.now_ms).await?;
        let context = self.context(&view, stage, customer).await?;
        let contacts = self.parts.directory.contacts(customer, "notices");
        let recipients = contacts
            .into_iter()
            .take(RECIPIENTS_MAX)
            .map(|contact| Recipient {
                person: contact.person,
                name: contact.name,
                address: contact.mail,
            });
        let mut sent = 0;
        for recipient in recipients {
            let spec = self.spec(&view, stage, Some(customer), template, recipient, &context);
            queue(hold, spec, batch);
            sent += 1;
        }
        if stage == Stage::Scheduled {
            let key = told_document(lane.opening.run, template, customer);
            let known = self.parts.store.documents(std::slice::from_ref(&key));
            // A step that is entered anew announces the same messages again.
            if known.await?.iter().all(Option::is_none) {
                batch.documents.push(announced(key, sent));
            }
        }
        Ok(())
    }

    /// A report to staff.
    pub(crate) async fn report(
        &self,
        hold: &Hold,
        lane: &Lane,
        template: &str,
        to: &[String],
        about: &Value,
        batch: &mut Batch,
    ) -> Result<(), Trouble> {
        let view = View::of(self, lane, hold.now_ms).await?;
        let mut recipients = BTreeMap::new();
        for person in to
            .iter()
            .flat_map(|to| self.parts.directory.people_with(to))
            .take(RECIPIENTS_MAX)
        {
            if let Some(person) = self.parts.directory.person(&person) {
                recipients.insert(person.id.clone(), person);
            }
        }
        let context = self.report_context(&view, about).await?;
        for person in recipients.into_values() {
            let recipient = Recipient {
                person: person.id,
                name: person.name,
                address: person.mail,
            };
            queue(
                hold,
                self.spec(&view, Stage::Report, None, template, recipient, &context),
                batch,
            );
        }
        Ok(())
    }

    fn spec(
        &self,
        view: &View<'_>,
        stage: Stage,
        customer: Option<&str>,
        template: &str,
        to: Recipient,
        context: &Value,
    ) -> MailSpec {
        let run = view.lane.opening.run;
        let thread = customer.unwrap_or("staff");
        let id = |stage: Stage| mail_lane(view, thread, stage, &to.person, template);
        let message_id = |lane: LaneId| format!("{lane}@{}.hostler", self.parts.directory.realm());
        let first = id(Stage::Scheduled);
        let references = if stage == Stage::Scheduled || customer.is_none() {
            Vec::new()
        } else {
            vec![message_id(first)]
        };
        let mut context = context.clone();
        if let Value::Object(context) = &mut context {
            context.insert(
                "recipient".to_owned(),
                json!({ "id": to.person, "name": to.name, "mail": to.address }),
            );
        }
        MailSpec {
            lane: id(stage),
            run,
            customer: customer.map(str::to_owned),
            stage: stage.name().to_owned(),
            template: template.to_owned(),
            definition: view.lane.opening.definition,
            calendar: customer.and_then(|customer| calendar(view, stage, customer)),
            context,
            message_id: message_id(id(stage)),
            references,
            to_name: to.name,
            to_address: to.address,
        }
    }

    /// What a customer's template may name.
    async fn context(
        &self,
        view: &View<'_>,
        stage: Stage,
        customer: &str,
    ) -> Result<Value, Trouble> {
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
        let results = self.results_of(view, stage, customer).await?;
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
        let (starts_ms, ends_ms) = (view.now_ms, view.now_ms + WORK_MS);
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
        }))
    }

    /// The customer's assets of the present step with what became of them.
    async fn results_of(
        &self,
        view: &View<'_>,
        stage: Stage,
        customer: &str,
    ) -> Result<Vec<(String, String)>, Trouble> {
        let items = self.items(view.lane).await?;
        let group = format!("customer={customer}");
        let keys: Vec<_> = items
            .iter()
            .filter(|item| item.groups.contains(&group))
            .map(|item| item.key.clone())
            .collect();
        if stage != Stage::Completed && stage != Stage::Cancelled {
            return Ok(keys
                .into_iter()
                .map(|key| (key, "planned".to_owned()))
                .collect());
        }
        let step =
            crate::rows::present_step(view.lane, &view.definition).unwrap_or_else(|| "".into());
        let mut results = Vec::new();
        for keys in keys.chunks(hostler_ports::store::READ_MAX) {
            let wanted: Vec<_> = keys
                .iter()
                .map(|key| crate::rows::record_key(&step, key))
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

    async fn report_context(&self, view: &View<'_>, about: &Value) -> Result<Value, Trouble> {
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
        Ok(json!({
            "run": { "id": plan.run, "reference": reference(plan.run), "starter": plan.starter.who },
            "runbook": { "id": plan.runbook, "title": view.definition.title, "version": plan.version },
            "targets": plan.assets.len(),
            "assets": named(plan),
            "note": summary_of(&steps),
            "contact": self.parts.settings.contact,
            "steps": steps,
            "about": about,
            "stage": "report",
            "when": { "start_utc": instant_text(plan.started_ms), "end_utc": instant_text(view.now_ms) },
        }))
    }
}

/// From now on it is waited for that one of the customer's people has the notice.
fn announced(key: String, sent: u32) -> DocumentWrite {
    let told = Told {
        sent,
        ..Told::default()
    };
    let body = serde_json::to_string(&told).ok();
    DocumentWrite { key, body }
}

/// The assets of a run as templates list them.
fn named(plan: &hostler_core::plan::Plan) -> Vec<Value> {
    let name = |asset: &Value, id: &str| {
        asset
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or(id)
            .to_owned()
    };
    let assets = plan.assets.iter().take(ASSETS_MAX);
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

/// The same thread, stage and recipient are one message, however often a step is tried.
fn mail_lane(view: &View<'_>, thread: &str, stage: Stage, person: &str, template: &str) -> LaneId {
    let run = view.lane.opening.run;
    let parts = [
        b"mail".as_slice(),
        run.0.as_bytes(),
        thread.as_bytes(),
        template.as_bytes(),
    ];
    let more = [stage.name().as_bytes(), person.as_bytes()];
    LaneId(derive(&[parts.as_slice(), more.as_slice()].concat()))
}

fn reference(run: hostler_core::id::RunId) -> String {
    run.to_string().chars().take(8).collect()
}

fn local(at_ms: i64, zone: &str) -> String {
    let instant = jiff::Timestamp::from_millisecond(at_ms);
    let zoned = instant.and_then(|instant| instant.in_tz(zone));
    zoned.map_or_else(
        |_| instant_text(at_ms),
        |zoned| zoned.strftime("%A %-d %B %Y %H:%M").to_string(),
    )
}

fn calendar(view: &View<'_>, stage: Stage, customer: &str) -> Option<CalendarEntry> {
    let sequence = match stage {
        Stage::Scheduled => 0,
        Stage::Cancelled => 1,
        Stage::Started | Stage::Completed | Stage::Report => return None,
    };
    let run = view.lane.opening.run;
    Some(CalendarEntry {
        uid: format!("{run}-{customer}@hostler"),
        sequence,
        start_ms: view.now_ms,
        end_ms: view.now_ms + WORK_MS,
        cancelled: stage == Stage::Cancelled,
        summary: view.definition.title.clone(),
        description: format!("{} (reference {})", view.definition.title, reference(run)),
        stamp_ms: view.now_ms,
    })
}

fn queue(hold: &Hold, spec: MailSpec, batch: &mut Batch) {
    let row = MailRow {
        run: spec.run,
        lane: spec.lane,
        customer: spec.customer.clone(),
        stage: spec.stage.clone(),
        template: spec.template.clone(),
        to: spec.to_address.clone(),
        message_id: spec.message_id.clone(),
        state: "queued".to_owned(),
        attempts: 0,
        queued_ms: hold.now_ms,
        settled_ms: None,
        answer: None,
        sha256: None,
    };
    let summary = serde_json::to_string(&row).unwrap_or_default();
    let (index, member) = (index::notices(spec.run), spec.lane.to_string());
    batch.index.push(IndexChange::Put {
        index,
        member,
        score: hold.now_ms,
        body: summary.clone(),
    });
    let (lane, run) = (spec.lane, spec.run);
    let event = MailEvent::MailQueued {
        spec: Box::new(spec),
        at_ms: hold.now_ms,
    };
    batch.spawn.push(Spawn {
        lane,
        run,
        parent: None,
        key: None,
        queue: Queue::Mail,
        priority: Priority::Operator,
        events: vec![json!(event).to_string()],
        summary,
    });
}
