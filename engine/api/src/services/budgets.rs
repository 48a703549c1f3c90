//! Budgets of disruption: what each customer's have spent, and letting a run overdraw them.
//!
//! Not here: holding a step (worker), and what was agreed (policies).

use super::document;
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::durable::kept;
use crate::problem::{Code, Problem};
use crate::read;
use hostler_core::budget::{ALLOWED_MAX, Allowed, Spent, WITHIN_MAX_MS, budget_document};
use hostler_core::id::RunId;
use hostler_ports::store::{CommitError, READ_MAX};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Attempts against lanes that spend at the same moment.
const TRIES_MAX: u32 = 20;
/// Longest reason in bytes.
const TEXT_MAX_BYTES: usize = 500;

/// What one customer's budgets have spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BudgetRow {
    pub customer: String,
    #[serde(flatten)]
    pub spent: Spent,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AllowAsk {
    pub run: RunId,
    pub reason: String,
}

/// Customers of whom something is on record, by id.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject) -> Result<Vec<BudgetRow>, Problem> {
    authorize(subject, Action::ReadBudgets, Resource::Realm).check(subject)?;
    let mut rows = Vec::new();
    for some in api.directory.customers().chunks(READ_MAX) {
        let keys: Vec<_> = some.iter().map(|id| budget_document(id)).collect();
        let found = document::read_all::<Spent>(api, &keys).await?;
        for (customer, kept) in some.iter().zip(found) {
            let spent = kept
                .value
                .map_err(|fault| Problem::new(Code::Internal, fault))?;
            rows.extend(spent.map(|spent| BudgetRow {
                customer: customer.clone(),
                spent,
            }));
        }
    }
    Ok(rows)
}

/// Lets a run overdraw the budgets of a customer; what they hold of it is looked at again.
///
/// # Errors
/// `forbidden` also for whoever started the run, `malformed` without a reason, `not-found`, `conflict` where it may
/// already, `store-full` for too many, the store's.
pub async fn allow(
    api: &Api,
    subject: &Subject,
    customer: &str,
    ask: AllowAsk,
) -> Result<Allowed, Problem> {
    authorize(subject, Action::Overdraw, Resource::Realm).check(subject)?;
    let reason = ask.reason.trim();
    if reason.is_empty() || reason.len() > TEXT_MAX_BYTES {
        let detail = format!("a reason has 1 to {TEXT_MAX_BYTES} bytes");
        return Err(Problem::new(Code::Malformed, detail)
            .remedy("say why the customer is disturbed more than was agreed: --reason TEXT"));
    }
    let known = api.directory.customers();
    if !known.iter().any(|id| id == customer) {
        let known: Vec<_> = known.iter().map(String::as_str).collect();
        return Err(Problem::not_found("customer", customer)
            .remedy(crate::suggest::remedy(customer, &known)));
    }
    let row = read::run(api, ask.run).await?;
    if row.starter == subject.person {
        let detail = format!(
            "{} started this run: somebody else lets it overdraw",
            subject.person
        );
        return Err(Problem::new(Code::Forbidden, detail).remedy("ask another operator"));
    }
    let now_ms = api.store.now_ms().await?;
    let allowed = Allowed {
        run: ask.run,
        by: subject.person.clone(),
        reason: reason.to_owned(),
        at_ms: now_ms,
    };
    write(api, subject, customer, &allowed).await?;
    Ok(allowed)
}

async fn write(
    api: &Api,
    subject: &Subject,
    customer: &str,
    allowed: &Allowed,
) -> Result<(), Problem> {
    let key = budget_document(customer);
    let entry = json!({
        "event": "budget_overdraft_allowed", "customer": customer, "allowed": allowed, "via": subject.via,
    });
    for _ in 0..TRIES_MAX {
        let found = document::read::<Spent>(api, &key).await?;
        let spent = found
            .value
            .map_err(|fault| Problem::new(Code::Internal, fault))?;
        let mut spent = spent.unwrap_or_default();
        let counts = |at_ms: i64| at_ms.saturating_add_unsigned(WITHIN_MAX_MS) > allowed.at_ms;
        spent.allowed.retain(|one| counts(one.at_ms));
        if spent.may_overdraw(allowed.run) {
            let detail = format!("run {} may overdraw already", allowed.run);
            return Err(Problem::new(Code::Conflict, detail).remedy("see `hostler budget list`"));
        }
        if spent.allowed.len() >= ALLOWED_MAX {
            let detail = format!("{ALLOWED_MAX} runs may overdraw the budgets of {customer}");
            return Err(Problem::new(Code::StoreFull, detail)
                .remedy("agree upon another budget with the customer: budgets.yaml"));
        }
        spent.allowed.push(allowed.clone());
        match document::write(api, &key, found.version, &spent, Some(entry.clone())).await {
            Ok(seq) => return kept(api, Some(seq)).await,
            Err(CommitError::Store(fault)) => return Err(fault.into()),
            Err(_) => {}
        }
    }
    Err(Problem::new(Code::Changed, "others spend all the time").remedy("try again"))
}
