//! Who does a step that is not the platform's, and until when they have time.
//!
//! Not here: the rows that decide (`policies::duty`), and what becomes of the step (worker).

use crate::asking;
use crate::model::Estate;
use crate::policies::{Attributes, Duty, Policies, Span};
use hostler_core::duty::{Owed, REFUSE, Work};

/// Who stands for a duty that is no customer's: the roles that the runbooks ask for it.
const ROLES: [(Duty, &str, &str); 3] = [
    (Duty::Network, "network", "role:network"),
    (Duty::Security, "security", "role:security-office"),
    (Duty::Finance, "finance", "role:purchasing"),
];

/// See `Directory::owed`.
pub fn owed(estate: &Estate, work: &Work<'_>) -> Option<Owed> {
    let policies = estate.policies.as_deref()?;
    let asset = work.asset.and_then(|id| estate.assets.get(id));
    let attributes = match asset {
        Some(asset) => Attributes::of(asset, work.duty),
        None => Attributes {
            duty: work.duty.map(str::to_owned),
            ..Attributes::default()
        },
    };
    let found = policies.duty(work.action, &attributes);
    let customer = asset.map(|asset| asset.customer.as_str());
    let (by, asks) = match found.duty {
        Duty::Platform => return None,
        Duty::Refuse => (REFUSE, Vec::new()),
        Duty::Customer => {
            let asked = customer.map(|id| format!("customer:{id}"));
            ("customer", asked.into_iter().collect())
        }
        duty => {
            let (_, by, role) = ROLES.into_iter().find(|(of, ..)| *of == duty)?;
            (by, asking::asks(estate, role, None))
        }
    };
    // The customer's own days count for the customer only.
    let whose = customer.filter(|_| found.duty == Duty::Customer);
    Some(Owed {
        by: by.to_owned(),
        reason: found.reason.to_owned(),
        asks,
        until_ms: until_ms(estate, policies, whose, work),
    })
}

/// As long as questions of the class stay open.
fn until_ms(
    estate: &Estate,
    policies: &Policies,
    customer: Option<&str>,
    work: &Work<'_>,
) -> Option<i64> {
    match policies.class(work.class)?.expires {
        Span::Elapsed(ms) => Some(work.from_ms.saturating_add_unsigned(ms)),
        Span::BusinessDays(days) => {
            asking::business_days_after(estate, customer, days, work.from_ms)
        }
    }
}
