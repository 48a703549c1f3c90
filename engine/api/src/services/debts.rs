//! Open debts: what is owed since an emergency, over which assets, what it holds, what settles it.
//!
//! Not here: settling one; its form is answered like any other.

use super::document;
use crate::Api;
use crate::authorize::{Action, Resource, Subject, authorize};
use crate::problem::{Code, Problem};
use hostler_core::debt::{Debts, OpenDebt, debts_document};
use hostler_ports::store::READ_MAX;
use serde::{Deserialize, Serialize};

/// A debt as it is listed: once a customer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DebtRow {
    /// Empty for assets without one.
    pub customer: String,
    #[serde(flatten)]
    pub debt: OpenDebt,
}

/// All open ones, the oldest first. A document that cannot be read is an error: what it holds stays held.
///
/// # Errors
/// `forbidden`, the store's.
pub async fn list(api: &Api, subject: &Subject) -> Result<Vec<DebtRow>, Problem> {
    authorize(subject, Action::ReadDebts, Resource::Realm).check(subject)?;
    let mut customers = api.directory.customers();
    customers.push(String::new());
    let mut rows = Vec::new();
    for some in customers.chunks(READ_MAX) {
        let keys: Vec<_> = some.iter().map(|id| debts_document(id)).collect();
        let found = document::read_all::<Debts>(api, &keys).await?;
        for (customer, kept) in some.iter().zip(found) {
            let debts = kept
                .value
                .map_err(|fault| Problem::new(Code::Internal, fault))?;
            let debts = debts.unwrap_or_default().debts.into_iter();
            rows.extend(debts.map(|debt| DebtRow {
                customer: customer.clone(),
                debt,
            }));
        }
    }
    rows.sort_by(|one, other| {
        let key = |row: &DebtRow| (row.debt.since_ms, row.customer.clone(), row.debt.lane);
        key(one).cmp(&key(other))
    });
    Ok(rows)
}
