//! The little world that simulated runs touch: three assets, one connection, four people, and plain
//! values instead of an expression language.
//!
//! Not here: files, credentials, notices to customers.

use hostler_core::definition::Definition;
use hostler_core::directory::{Connection, Contact, Directory, Person, Route, SelectorFault};
use hostler_core::duty::{Owed, Work};
use hostler_core::event::{Event, Recorded};
use hostler_core::expression::{Evaluate, EvaluationFailed, Expression, Scope};
use hostler_core::gate::{Closed, GateKind};
use hostler_core::id::{Digest, RunId};
use hostler_core::lane::{Climb, Opening};
use hostler_core::plan::{Plan, Starter};
use hostler_ports::channel::{Channel, Compose, Composed, Delivery, Draft, Message};
use hostler_ports::store::{Blob, Priority, Queue, Spawn, Start};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

pub const ASSETS: [&str; 3] = ["a0", "a1", "a2"];
/// Who may decide; each holds the role of the board and of the operators.
pub const PEOPLE: [&str; 4] = ["ada", "bob", "cyd", "dan"];
pub const CONNECTION: &str = "c0";

/// The window closes this often, for so long.
const WINDOW_EVERY_MS: i64 = 40_000;
const WINDOW_CLOSED_MS: i64 = 7_000;

pub fn plugin() -> Digest {
    Digest::of(b"simulated plugin")
}

pub struct Estate;

impl Directory for Estate {
    fn digest(&self) -> Digest {
        Digest::of(b"simulated estate")
    }
    fn policies(&self) -> Option<Digest> {
        None
    }
    fn realm(&self) -> &str {
        "sim"
    }
    fn zone(&self, _customer: Option<&str>) -> Option<String> {
        Some("UTC".to_owned())
    }
    fn select(&self, _selector: &str) -> Result<Vec<String>, SelectorFault> {
        Ok(ASSETS.map(str::to_owned).to_vec())
    }
    fn matches(&self, asset: &str, _selector: &str) -> Result<bool, SelectorFault> {
        Ok(ASSETS.contains(&asset))
    }
    fn asset(&self, id: &str) -> Option<Value> {
        ASSETS
            .contains(&id)
            .then(|| json!({ "id": id, "name": id }))
    }
    fn route(&self, _asset: Option<&str>, _contract: &str) -> Option<Route> {
        Some(route())
    }
    fn customer(&self, _id: &str) -> Option<Value> {
        None
    }
    fn customers(&self) -> Vec<String> {
        Vec::new()
    }
    fn contacts(&self, _customer: &str, _kind: &str) -> Vec<Contact> {
        Vec::new()
    }
    fn people_with(&self, qualification: &str) -> Vec<String> {
        let holds = PEOPLE
            .iter()
            .filter(|person| self.holds(person, qualification));
        holds.map(|id| (*id).to_owned()).collect()
    }
    fn qualifications(&self, person: &str) -> BTreeSet<String> {
        qualifications(person).into_iter().collect()
    }
    fn holds(&self, person: &str, qualification: &str) -> bool {
        qualifications(person)
            .iter()
            .any(|one| one == qualification)
    }
    fn stands_in_for(&self, _delegate: &str, _at_ms: i64) -> Vec<String> {
        Vec::new()
    }
    fn delegates_of(&self, _person: &str, _at_ms: i64) -> Vec<String> {
        Vec::new()
    }
    fn person(&self, id: &str) -> Option<Person> {
        PEOPLE.contains(&id).then(|| Person {
            id: id.to_owned(),
            name: id.to_owned(),
            mail: format!("{id}@example.org"),
            roles: vec!["operator".to_owned()],
            customers: Vec::new(),
        })
    }
    /// A window over everything: closed for seconds, then open for longer.
    fn closed(&self, _asset: &str, _class: &str, _needed: u64, now_ms: i64) -> Option<Closed> {
        let since_ms = now_ms.rem_euclid(WINDOW_EVERY_MS);
        (since_ms < WINDOW_CLOSED_MS).then(|| Closed {
            gate: GateKind::Window,
            rule: "tides".to_owned(),
            why: "closed".to_owned(),
            remedy: "wait".to_owned(),
            until_ms: Some(now_ms - since_ms + WINDOW_CLOSED_MS),
            document: None,
            never: false,
        })
    }
    fn earliest_ms(&self, _class: &str, _asset: &str, told_ms: Option<i64>) -> Option<i64> {
        told_ms
    }
    fn business_days_after(&self, _customer: Option<&str>, days: u16, from_ms: i64) -> Option<i64> {
        Some(from_ms.saturating_add(i64::from(days) * 86_400_000))
    }
    fn owed(&self, _work: &Work<'_>) -> Option<Owed> {
        None
    }
    fn ladder(&self, _name: &str, _customer: Option<&str>, _opened_ms: i64) -> Option<Climb> {
        None
    }
    fn ladders(&self) -> Option<BTreeSet<String>> {
        None
    }
    fn text(&self, _name: &str) -> Option<String> {
        None
    }
    fn texts(&self) -> Option<BTreeSet<String>> {
        None
    }
    fn people(&self) -> Vec<Person> {
        PEOPLE.iter().filter_map(|id| self.person(id)).collect()
    }
    fn roles(&self) -> BTreeMap<String, String> {
        BTreeMap::new()
    }
    fn window(&self, _id: &str) -> Option<Value> {
        None
    }
    fn connection(&self, _name: &str) -> Option<Arc<Connection>> {
        None
    }
    fn connections(&self) -> Vec<Arc<Connection>> {
        Vec::new()
    }
}

pub fn qualifications(person: &str) -> Vec<String> {
    vec![
        "role:board".to_owned(),
        "role:operator".to_owned(),
        format!("person:{person}"),
    ]
}

/// An expression is a JSON literal; anything else is a name that is missing.
pub struct Literals;

impl Evaluate for Literals {
    fn evaluate(&self, expression: &Expression, _scope: &Scope) -> Result<Value, EvaluationFailed> {
        serde_json::from_str(&expression.0).map_err(|_| EvaluationFailed {
            expression: expression.0.clone(),
            why: "a name is missing".to_owned(),
        })
    }
}

/// The next hop takes everything, and nothing needs a template.
pub struct Post;

#[async_trait::async_trait]
impl Channel for Post {
    async fn deliver(&self, message: &Message) -> Delivery {
        Delivery::Accepted {
            answer: "250 kept".to_owned(),
            sha256: message.message_id.clone(),
        }
    }
}

impl Compose for Post {
    fn compose(&self, draft: &Draft) -> Result<Composed, String> {
        Ok(Composed {
            subject: draft.template.clone(),
            text: String::new(),
            html: String::new(),
            calendar: None,
        })
    }
}

fn route() -> Route {
    Route {
        connection: CONNECTION.to_owned(),
        plugin: "sim".to_owned(),
        address: None,
        reference: None,
        host_key: None,
        handles: BTreeMap::new(),
    }
}

fn blob(definition: &Definition) -> Blob {
    let bytes = serde_json::to_vec(definition).unwrap_or_default();
    Blob {
        digest: Digest::of(&bytes),
        bytes,
    }
}

fn plan(run: RunId, main: &Blob, other: &Blob, asset: &str, slots: u32, now_ms: i64) -> Plan {
    let sim = || ("sim".to_owned(), route());
    let assets = ASSETS.map(|id| (id.to_owned(), json!({ "id": id, "name": id })));
    let routes = ASSETS.map(|id| (id.to_owned(), BTreeMap::from([sim()])));
    Plan {
        format: Plan::FORMAT,
        run,
        definition: main.digest,
        runbook: "main".to_owned(),
        version: 1,
        starter: Starter {
            who: "eve".to_owned(),
            via: "simulation".to_owned(),
            reason: None,
        },
        started_ms: now_ms,
        inputs: json!({ "asset": asset }),
        assets: BTreeMap::from(assets),
        routes: BTreeMap::from(routes),
        ambient: BTreeMap::from([sim()]),
        limits: BTreeMap::from([(CONNECTION.to_owned(), slots)]),
        calls: BTreeMap::from([("other".to_owned(), other.digest)]),
        plugins: BTreeMap::from([("sim".to_owned(), plugin())]),
        hand_offs: Vec::new(),
        windows: BTreeMap::new(),
        connections: BTreeMap::new(),
        policies: None,
        chosen: BTreeMap::new(),
        spend: BTreeMap::new(),
        requester_owns: false,
        retry_of: None,
    }
}

/// What starts a run.
pub struct Wish<'a> {
    pub run: RunId,
    pub main: &'a Definition,
    pub other: &'a Definition,
    pub asset: &'a str,
    /// Calls at once over the connection.
    pub slots: u32,
    pub now_ms: i64,
}

pub fn start(wish: &Wish<'_>) -> Start {
    let (main, other) = (blob(wish.main), blob(wish.other));
    let plan = plan(wish.run, &main, &other, wish.asset, wish.slots, wish.now_ms);
    let (digest, run) = (plan.digest(), wish.run);
    let opening = Opening::root(run, main.digest, digest);
    let opening = Box::new(opening);
    let opened = Recorded::new(Event::LaneOpened { opening }, wish.now_ms);
    let bytes = plan.to_json().into_bytes();
    Start {
        run,
        body: digest,
        root: Spawn {
            lane: run.root(),
            run,
            parent: None,
            key: None,
            queue: Queue::Run,
            priority: Priority::Operator,
            events: vec![opened.to_json()],
            summary: "{}".to_owned(),
        },
        blobs: vec![main, other, Blob { digest, bytes }],
        plan: Some(digest),
        index: Vec::new(),
        ledger: Vec::new(),
        run_summary: "{}".to_owned(),
    }
}
