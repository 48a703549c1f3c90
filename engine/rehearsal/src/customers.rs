//! Customers who are asked for their consent: their people agree or object as the script says, to each run anew.
//!
//! Not here: people who are asked a question (`people`), and what a yes or a no holds (the engine).

use crate::play::run_row;
use crate::scenario::Says;
use crate::world::{Trouble, World};
use hostler_core::command::{Actor, Command};
use hostler_core::consent::{ConsentAsk, consent_document};
use hostler_core::duration::parse_ms;
use hostler_core::id::RunId;
use hostler_ports::store::{Sent, Store};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The door of a customer's own program.
const VIA: &str = "api";

/// A customer's person has said it, by the script; whether it counts is the engine's to decide.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Spoken {
    pub run: RunId,
    pub customer: String,
    pub by: String,
    pub agrees: bool,
    /// By the store's clock.
    pub at_ms: i64,
}

/// A run stands for a customer's consent.
#[derive(Clone, Copy)]
struct Stands {
    since_ms: i64,
    /// Lines of the customer's script that are behind it.
    said: usize,
}

pub struct Customers {
    script: Vec<Says>,
    /// The first entry of the ledger that was not looked at yet.
    next: u64,
    stands: BTreeMap<(RunId, String), Stands>,
    said: Vec<Spoken>,
}

impl Customers {
    pub fn new(script: &[Says]) -> Self {
        Self {
            script: script.to_vec(),
            next: 0,
            stands: BTreeMap::new(),
            said: Vec::new(),
        }
    }

    pub fn said(&self) -> &[Spoken] {
        &self.said
    }

    /// Somebody will say something once it is time.
    pub fn will_speak(&self) -> bool {
        let mut stands = self.stands.iter();
        stands.any(|((_, customer), stands)| self.line(customer, stands.said).is_some())
    }

    /// Customers of the script whom no run has stood for.
    pub fn never_asked(&self) -> Vec<&str> {
        let asked = |customer: &str| self.stands.keys().any(|(_, asked)| asked == customer);
        let all = self.script.iter().map(|says| says.customer.as_str());
        all.filter(|customer| !asked(customer)).collect()
    }

    /// Says one thing whose time has come; false: there is none.
    pub async fn act(&mut self, world: &World) -> Result<bool, Trouble> {
        if self.script.is_empty() {
            return Ok(false);
        }
        self.look(world).await?;
        let now_ms = world.store.now_ms().await?;
        let due = self.stands.iter().find_map(|((run, customer), stands)| {
            let says = self.line(customer, stands.said)?;
            let after = says.after.as_deref().and_then(parse_ms).unwrap_or(0);
            let due_ms = stands.since_ms.saturating_add_unsigned(after);
            (due_ms <= now_ms).then(|| (*run, says.clone(), stands.said))
        });
        let Some((run, says, number)) = due else {
            return Ok(false);
        };
        if let Some(stands) = self.stands.get_mut(&(run, says.customer.clone())) {
            stands.said += 1;
        }
        // Nobody is asked about what is over.
        if run_row(world, run).await?.ended_ms.is_none() {
            self.say(world, run, says, (number, now_ms)).await?;
        }
        Ok(true)
    }

    fn line(&self, customer: &str, number: usize) -> Option<&Says> {
        let mut own = self.script.iter().filter(|says| says.customer == customer);
        own.nth(number)
    }

    async fn say(
        &mut self,
        world: &World,
        run: RunId,
        says: Says,
        (number, at_ms): (usize, i64),
    ) -> Result<(), Trouble> {
        let ask = ConsentAsk {
            actor: Actor {
                person: says.by.clone(),
                via: Some(VIA.to_owned()),
                ..Actor::default()
            },
            customer: says.customer.clone(),
            agrees: says.agrees,
            word_of: None,
            reason: says.reason,
        };
        let command = Command::Consent { ask: Box::new(ask) };
        let cause = format!("rehearsed of {}", says.customer);
        let id = run.root().command(&cause, number as u64);
        let sent = world.store.send(run.root(), id, json!(command).to_string());
        if sent.await? == Sent::Accepted {
            self.said.push(Spoken {
                run,
                customer: says.customer,
                by: says.by,
                agrees: says.agrees,
                at_ms,
            });
        }
        Ok(())
    }

    /// Which runs stand for whom, since when.
    async fn look(&mut self, world: &World) -> Result<(), Trouble> {
        loop {
            let lines = world.store.ledger(self.next).await?;
            let Some(last) = lines.last() else {
                return Ok(());
            };
            self.next = last.number + 1;
            for line in lines.iter().filter(|line| line.body.contains("step_held")) {
                if let Some((run, customer, since_ms)) = held(&line.body) {
                    let stands = Stands { since_ms, said: 0 };
                    self.stands.entry((run, customer)).or_insert(stands);
                }
            }
        }
    }
}

/// The run and the customer whose consent it was held for; none: another gate held it.
fn held(body: &str) -> Option<(RunId, String, i64)> {
    let line: Value = serde_json::from_str(body).ok()?;
    let run: RunId = line["run"].as_str()?.parse().ok()?;
    let document = line["entry"]["closed"]["document"].as_str()?;
    let customer = document.strip_prefix(&consent_document(run, ""))?;
    Some((run, customer.to_owned(), line["entry"]["at"].as_i64()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_is_held_for_a_consent_stands_for_it() {
        let run = RunId(Default::default());
        let line = |document: &str| {
            let closed = json!({ "gate": "consent", "document": document });
            let entry = json!({ "event": "step_held", "closed": closed, "at": 7 });
            json!({ "entry": entry, "run": run }).to_string()
        };
        let of_chem = consent_document(run, "chem");
        assert_eq!(held(&line(&of_chem)), Some((run, "chem".to_owned(), 7)));
        assert_eq!(held(&line("freezes")), None);
        assert_eq!(held(&line(&format!("told:{run}:work:chem"))), None);
    }
}
