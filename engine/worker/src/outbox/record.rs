//! What a hand-over leaves behind: the message's own event, its row, a line of the ledger, and what is known about the
//! customer's notice.
//!
//! Not here: whether it is handed over, and what an answer means (core).

use super::Outbox;
use crate::Trouble;
use crate::notices::alternate;
use hostler_core::event::Stage;
use hostler_core::gate::{Reached, Told, told_document};
use hostler_core::mail::{Mail, MailEvent, MailSpec};
use hostler_core::view::{MailRow, index};
use hostler_ports::store::{
    Batch, Claim, CommitError, DocumentWrite, Expect, IndexChange, LedgerLine, Loaded, Store, Then,
    TimerChange,
};
use serde_json::json;

/// Looks at what a customer was told that others write at the same moment: each look that fails is one that another
/// message has won, and far fewer are on their way at a time.
const LOOKS_MAX: u32 = 32;

impl Outbox {
    /// What becomes of the customer's notice with this message; that nobody there has it is noted beside it.
    async fn told(
        &self,
        mail: &Mail,
        event: &MailEvent,
    ) -> Result<Vec<(Expect, DocumentWrite)>, Trouble> {
        let Some(customer) = &mail.spec.customer else {
            return Ok(Vec::new());
        };
        if mail.spec.stage != Stage::Scheduled.name() || !mail.settled {
            return Ok(Vec::new());
        }
        let key = told_document(mail.spec.run, &mail.spec.template, customer);
        let found = self
            .parts
            .store
            .documents(std::slice::from_ref(&key))
            .await?;
        let found = found.into_iter().flatten().next();
        let version = found.as_ref().map_or(0, |found| found.version);
        let told = found.and_then(|found| found.body);
        let told = told.and_then(|body| serde_json::from_str::<Told>(&body).ok());
        let Some(told) = heard(told.unwrap_or_default(), mail, event) else {
            return Ok(Vec::new());
        };
        let noted = lost(&*self.parts.store, &mail.spec, &told).await?;
        let document = key.clone();
        let body = serde_json::to_string(&told).ok();
        let told = (Expect { document, version }, DocumentWrite { key, body });
        Ok([told].into_iter().chain(noted).collect())
    }

    /// Somebody else of the same customer may have had the notice at the same moment: then it is looked at again.
    pub(super) async fn record(
        &self,
        claim: &Claim,
        (loaded, version): (&Loaded, u64),
        mail: &Mail,
        event: &MailEvent,
    ) -> Result<(), Trouble> {
        for _ in 0..LOOKS_MAX {
            let (expect, documents) = self.told(mail, event).await?.into_iter().unzip();
            let batch = Batch {
                expect,
                documents,
                ..recorded(loaded, mail, event)
            };
            let store = &self.parts.store;
            match store.commit(claim.lane, &claim.fence, version, batch).await {
                Ok(_) => return Ok(()),
                Err(CommitError::Expect { .. }) => {}
                Err(_) => break,
            }
        }
        Err(Trouble::LeaseLost)
    }
}

/// Notes that nobody of a message's customer has what it announces, where alternate contacts are told then. None: they
/// are not, or it is known.
pub(crate) async fn lost(
    store: &dyn Store,
    spec: &MailSpec,
    told: &Told,
) -> Result<Option<(Expect, DocumentWrite)>, Trouble> {
    match (&spec.unreached, &spec.customer) {
        (Some(document), Some(customer)) if told.falls_back() => {
            alternate::note(store, document, [customer.clone()]).await
        }
        _ => Ok(None),
    }
}

/// What is known about a customer behind one more message; none: nothing new.
fn heard(mut told: Told, mail: &Mail, event: &MailEvent) -> Option<Told> {
    match event {
        MailEvent::MailAccepted { at_ms, .. } => told.arrived(Reached {
            at_ms: *at_ms,
            to: mail.spec.to_address.clone(),
            message_id: mail.spec.message_id.clone(),
        }),
        MailEvent::MailRefused { .. } => told.refused += 1,
        _ => return None,
    }
    Some(told)
}

/// What a hand-over leaves behind.
fn recorded(loaded: &Loaded, mail: &Mail, event: &MailEvent) -> Batch {
    let row = row(mail, event);
    let body = serde_json::to_string(&row).unwrap_or_default();
    let retry = mail.retry_ms.map(|at_ms| TimerChange::Set {
        name: "retry".to_owned(),
        at_ms,
        body: json!({ "command": "timer", "name": "retry" }).to_string(),
    });
    let ledger =
        json!({ "run": row.run, "lane": row.lane, "mail": row, "entry": event }).to_string();
    Batch {
        events: vec![json!(event).to_string()],
        inbox_used: loaded.inbox.len(),
        summary: Some(body.clone()),
        index: vec![IndexChange::Put {
            index: index::notices(mail.spec.run),
            member: mail.spec.lane.to_string(),
            score: mail.queued_ms,
            body,
        }],
        // That it waits once more is no evidence of anything.
        ledger: match event {
            MailEvent::MailWaits { .. } => Vec::new(),
            _ => vec![LedgerLine { body: ledger }],
        },
        timers: retry.into_iter().collect(),
        then: if mail.settled { Then::End } else { Then::Park },
        ..Batch::default()
    }
}

pub(crate) fn row(mail: &Mail, event: &MailEvent) -> MailRow {
    let spec = &mail.spec;
    let (state, answer, sha256, at_ms) = match event {
        MailEvent::MailQueued { at_ms, .. }
        | MailEvent::MailsPacked { at_ms, .. }
        | MailEvent::LinkMade { at_ms, .. }
        | MailEvent::ReturnMade { at_ms, .. } => ("queued", None, None, *at_ms),
        MailEvent::MailAccepted {
            answer,
            sha256,
            at_ms,
        } => (
            "accepted",
            Some(answer.clone()),
            Some(sha256.clone()),
            *at_ms,
        ),
        MailEvent::MailDeferred { answer, at_ms, .. } => {
            ("deferred", Some(answer.clone()), None, *at_ms)
        }
        MailEvent::MailRefused { answer, at_ms } => ("refused", Some(answer.clone()), None, *at_ms),
        MailEvent::MailWithdrawn { why, at_ms } => ("withdrawn", Some(why.clone()), None, *at_ms),
        MailEvent::MailWaits { at_ms, .. } => ("queued", None, None, *at_ms),
        MailEvent::MailBounced {
            status,
            diagnostic,
            at_ms,
        } => (
            "bounced",
            Some(format!("{status} {diagnostic}")),
            None,
            *at_ms,
        ),
    };
    MailRow {
        state: state.to_owned(),
        attempts: mail.attempts,
        settled_ms: mail.settled.then_some(at_ms),
        answer,
        sha256,
        ..queued(spec, mail.queued_ms)
    }
}

/// The row of a message that nobody has tried to send.
pub(crate) fn queued(spec: &MailSpec, at_ms: i64) -> MailRow {
    MailRow {
        run: spec.run,
        lane: spec.lane,
        customer: spec.customer.clone(),
        stage: spec.stage.clone(),
        template: spec.template.clone(),
        to: spec.to_address.clone(),
        message_id: spec.message_id.clone(),
        state: "queued".to_owned(),
        attempts: 0,
        queued_ms: at_ms,
        settled_ms: None,
        answer: None,
        sha256: None,
        dead: false,
        alternate: spec.alternate,
    }
}
