//! How the consents of a run stand, for whoever looks at the run.
//!
//! Not here: saying anything (`consents`), and what holds a call (worker).

use crate::problem::{Code, Problem};
use crate::{Api, read};
use hostler_core::consent::{Asked, Asks, Said, consent_document};
use hostler_core::gate::{Told, told_document};
use hostler_core::view::RunRow;
use hostler_ports::store::READ_MAX;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Most customers of one answer: as many as a run tells.
const CUSTOMERS_MAX: usize = 250;

/// One customer's.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConsentView {
    pub customer: String,
    /// `explicit by the contract of physics`; none: nothing is asked any more, and it has spoken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// What was said last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<Said>,
    /// Silence agrees to some of the work, from the notice on.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_silence: bool,
    /// When it does, to all that it was told of; none: nobody is known to have the notice.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub silent_ms: Option<i64>,
    /// Some of the work waits for a yes, whatever silence says.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub needs_yes: bool,
}

/// Those who are asked, or have spoken, in the order of their ids. Of an ended run only who has spoken.
///
/// # Errors
/// `not-found`, `internal` for records that cannot be read, the store's.
pub(super) async fn of_run(api: &Api, row: &RunRow) -> Result<Vec<ConsentView>, Problem> {
    let plan = read::plan(api, row.plan).await?;
    let mut definitions = vec![read::definition(api, row.definition).await?];
    for called in plan.calls.values() {
        definitions.push(read::definition(api, *called).await?);
    }
    let asks = Asks::of(&definitions);
    let customer = |asset: &serde_json::Value| Some(asset.get("customer")?.as_str()?.to_owned());
    let customers: BTreeSet<String> = plan.assets.values().filter_map(customer).collect();
    let asked = customers.into_iter().take(CUSTOMERS_MAX).map(|customer| {
        let asked = asks.of_customer(&*api.directory, &plan.starter, &customer);
        (customer, asked.filter(|_| row.ended_ms.is_none()))
    });
    let asked: Vec<(String, Option<Asked>)> = asked.collect();
    let documents = Documents::of(api, row, &asked).await?;
    let mut views = Vec::new();
    for (customer, asked) in asked {
        views.push(view(api, row, &documents, customer, asked)?);
    }
    views.retain(|view| view.rule.is_some() || view.said.is_some());
    Ok(views)
}

/// Bodies of documents by their names.
struct Documents(BTreeMap<String, String>);

impl Documents {
    async fn of(
        api: &Api,
        row: &RunRow,
        asked: &[(String, Option<Asked>)],
    ) -> Result<Self, Problem> {
        let names = asked.iter().flat_map(|(customer, asked)| {
            let templates = asked.iter().flat_map(|asked| asked.silence.keys());
            let told = templates.map(|template| told_document(row.run, template, customer));
            let said = consent_document(row.run, customer);
            told.chain([said]).collect::<Vec<_>>()
        });
        let names: Vec<String> = names.collect();
        let mut bodies = BTreeMap::new();
        for names in names.chunks(READ_MAX) {
            let found = api.store.documents(names).await?;
            let found = names.iter().zip(found);
            bodies.extend(found.filter_map(|(name, found)| Some((name.clone(), found?.body?))));
        }
        Ok(Self(bodies))
    }

    fn read<T: DeserializeOwned>(&self, name: &str) -> Result<Option<T>, Problem> {
        let body = self.0.get(name);
        let read = body.map(|body| serde_json::from_str(body)).transpose();
        read.map_err(|fault| {
            let detail = format!("the document {name} cannot be read: {fault}");
            Problem::new(Code::Internal, detail)
        })
    }
}

fn view(
    api: &Api,
    row: &RunRow,
    documents: &Documents,
    customer: String,
    asked: Option<Asked>,
) -> Result<ConsentView, Problem> {
    let said = documents.read(&consent_document(row.run, &customer))?;
    let mut silent_ms = None;
    for (template, days) in asked.iter().flat_map(|asked| &asked.silence) {
        let told: Option<Told> = documents.read(&told_document(row.run, template, &customer))?;
        let agrees_ms = told.and_then(|told| {
            let told_ms = told.reached?.at_ms;
            let directory = &api.directory;
            directory.business_days_after(Some(&customer), *days, told_ms)
        });
        silent_ms = silent_ms.max(agrees_ms);
    }
    Ok(ConsentView {
        said,
        silent_ms,
        by_silence: asked
            .as_ref()
            .is_some_and(|asked| !asked.silence.is_empty()),
        needs_yes: asked.as_ref().is_some_and(|asked| asked.needs_yes),
        rule: asked.map(|asked| asked.required.rule()),
        customer,
    })
}
