//! A house whose board is asked, with its doors; the estate and the runbook lie beside this file.
//!
//! Not here: any expectation.

use crate::plain::Plain;
use axum::body::Body;
use axum::http::{Request, Response, StatusCode, header};
use hostler_api::catalogue::{RunbookRow, Runbooks};
use hostler_api::http::{Door, router};
use hostler_api::tokens::Tokens;
use hostler_api::{Api, read};
use hostler_core::contract::Contract;
use hostler_core::definition::Definition;
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::lane::Phase;
use hostler_core::view::index;
use hostler_estate::{Estate, Known, policies};
use hostler_ports::channel::Message;
use hostler_ports::store::{Cursor, Store};
use hostler_rehearsal::{LINKS, Scenario, Stage, World, begin};
use hostler_runbook::{Environment, Evaluator, SourceFile};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, RwLock};
use tower::ServiceExt;

pub const HOUR_MS: i64 = 3_600_000;

struct Shelf(Arc<Definition>);

impl Runbooks for Shelf {
    fn list(&self) -> Vec<RunbookRow> {
        vec![RunbookRow {
            name: self.0.runbook.clone(),
            version: self.0.version,
            title: self.0.title.clone(),
            owner: self.0.owner.clone(),
            released: false,
            source: Some(self.0.source),
            faults: Vec::new(),
        }]
    }

    fn definition(&self, name: &str, version: u32) -> Option<Arc<Definition>> {
        let is = self.0.runbook == name && self.0.version == version;
        is.then(|| Arc::clone(&self.0))
    }
}

pub fn text(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/links");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// The estate after a change of its file, with these lines about roles in its policies.
pub fn estate(change: impl Fn(String) -> String, roles: &str) -> Estate {
    let read = |_: &str| Ok(change(text("estate.yaml")));
    let estate = hostler_estate::load(&["estate.yaml"], &read, &Known::default());
    let estate = estate.unwrap_or_else(|faults| panic!("{faults}"));
    let read = |_: &str| Ok(roles.to_owned());
    let read = policies::load(&["roles.yaml"], &read, &policies::Known::default());
    estate.under(read.unwrap_or_else(|faults| panic!("{faults}")))
}

pub fn plain() -> Estate {
    estate(|text| text, "roles: {}\n")
}

/// What customers are told says all that it may.
fn templates() -> BTreeMap<String, String> {
    let stages = ["scheduled", "started", "completed", "cancelled"];
    let said = "{{customer.name}}: {{runbook.title}} {{when.start_utc}}{{#each assets}} {{this.id}} {{this.name}}{{/each}} {{note}} {{contact}}";
    let parts = stages
        .iter()
        .flat_map(|stage| ["subject", "text"].map(|part| format!("work.{stage}.{part}.hbs")));
    parts.map(|name| (name, said.to_owned())).collect()
}

pub fn stage(estate: Estate) -> Stage {
    stage_of(estate, text("ask.yaml"))
}

/// The same house with another runbook of that name.
pub fn stage_of(estate: Estate, runbook: String) -> Stage {
    stage_with(estate, "ask", runbook, Vec::new())
}

/// What runbooks that do something are checked against.
pub fn contracts() -> Vec<Contract> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../sdk/contracts");
    let files = std::fs::read_dir(folder).unwrap();
    let files = files.map(|entry| entry.unwrap().path());
    let contracts = files.filter(|path| path.extension().is_some_and(|end| end == "json"));
    contracts
        .map(|path| serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap())
        .collect()
}

/// With a runbook of another name.
pub fn stage_with(estate: Estate, name: &str, runbook: String, contracts: Vec<Contract>) -> Stage {
    let source = SourceFile {
        name: format!("workflows/{name}/v1.yaml"),
        text: runbook,
        templates: templates(),
    };
    let environment = Environment::default().with_contracts(contracts.clone());
    let checked = hostler_runbook::check(&source, &environment);
    let definition = checked
        .definition
        .unwrap_or_else(|| panic!("{:?}", checked.faults));
    Stage {
        directory: Arc::new(estate),
        evaluate: Arc::new(Evaluator::new(jiff::tz::TimeZone::UTC)),
        runbooks: Arc::new(Shelf(Arc::new(definition))),
        compose: Arc::new(Plain),
        contracts: Arc::new(contracts),
    }
}

/// A run that asks the board, and the door that stands before it.
pub struct House {
    pub world: World,
    pub run: RunId,
    pub api: Api,
    pub tokens: Tokens,
}

impl House {
    pub async fn asking(estate: Estate) -> Self {
        Self::asking_over(estate, "id=redmark-web1,bluemark-db1").await
    }

    pub async fn asking_over(estate: Estate, targets: &str) -> Self {
        Self::asking_in(estate, targets, &[]).await
    }

    /// Where many read what goes to some addresses.
    pub async fn asking_in(estate: Estate, targets: &str, rooms: &[&str]) -> Self {
        Self::on(&stage(estate), targets, rooms).await
    }

    pub async fn on(stage: &Stage, targets: &str, rooms: &[&str]) -> Self {
        let scenario = scenario(targets);
        let world = World::new(stage, &scenario);
        rooms.iter().for_each(|room| world.next_hop.is_a_room(room));
        Self::in_world(world, &scenario).await
    }

    /// A run of another runbook.
    pub async fn of(stage: &Stage, scenario: &Scenario) -> Self {
        Self::in_world(World::new(stage, scenario), scenario).await
    }

    async fn in_world(world: World, scenario: &Scenario) -> Self {
        let run = begin(&world, scenario, "first").await.unwrap();
        world.settle().await.unwrap();
        let api = world.api.clone();
        Self {
            world,
            run,
            api,
            tokens: Tokens::default(),
        }
    }

    /// The estate as it is read from now on.
    pub fn reads(&mut self, estate: Estate) {
        self.api.directory = Arc::new(estate);
    }

    pub fn message_to(&self, mail: &str) -> Message {
        let taken = self.world.next_hop.taken();
        let mut mine = taken
            .into_iter()
            .filter(|message| message.to_address == mail);
        mine.next_back()
            .unwrap_or_else(|| panic!("{mail} was not asked"))
    }

    pub fn messages_to(&self, mail: &str) -> Vec<Message> {
        let taken = self.world.next_hop.taken().into_iter();
        taken.filter(|message| message.to_address == mail).collect()
    }

    /// The path of the link in the newest message to this address.
    pub fn link(&self, mail: &str) -> String {
        let messages = self.messages_to(mail);
        let found = messages.iter().rev().find_map(Self::link_of);
        found.unwrap_or_else(|| panic!("{mail} has no link: {messages:#?}"))
    }

    /// None for a message without a link.
    pub fn link_of(message: &Message) -> Option<String> {
        let told: Value = serde_json::from_str(&message.text).ok()?;
        let link = told.get("link")?.as_str()?;
        Some(link.strip_prefix(LINKS)?.to_owned())
    }

    /// As somebody with a token of their own.
    pub async fn as_person(&mut self, person: &str, path: &str) -> (StatusCode, String) {
        let token = self.tokens.issue(&*self.api.ids, person, None, None);
        let request = Request::get(path).header(header::AUTHORIZATION, format!("Bearer {token}"));
        let (status, text, _) = self.ask(request.body(Body::empty()).unwrap()).await;
        (status, text)
    }

    /// Everything that becomes due within minutes.
    pub async fn goes_on(&self) {
        for _ in 0..10 {
            self.world.settle().await.unwrap();
            self.world.pass(10_000).await.unwrap();
        }
        self.world.settle().await.unwrap();
    }

    /// The lanes that ask.
    pub async fn lanes(&self) -> Vec<String> {
        let page = self
            .world
            .store
            .query(index::WAITING, false, Cursor::default());
        let entries = page.await.unwrap().entries.into_iter();
        entries.map(|entry| entry.member).collect()
    }

    pub async fn ask(&self, request: Request<Body>) -> (StatusCode, String, Response<()>) {
        let door = Door {
            api: self.api.clone(),
            tokens: Arc::new(RwLock::new(self.tokens.clone())),
            clock: Arc::clone(&self.world.clock) as _,
            bounces: None,
        };
        let answer = async { router(door).oneshot(request).await.unwrap() };
        let work = async {
            loop {
                self.world.step().await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let answer: Response<Body> = tokio::select! {
            answer = answer => answer,
            () = work => panic!("work has no end"),
        };
        let (head, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        (head.status, text, Response::from_parts(head, ()))
    }

    pub async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = Request::get(path).body(Body::empty()).unwrap();
        let (status, text, _) = self.ask(request).await;
        (status, text)
    }

    pub async fn post(&self, path: &str, form: &'static str) -> (StatusCode, String) {
        let kind = "application/x-www-form-urlencoded";
        let request = Request::post(path).header(header::CONTENT_TYPE, kind);
        let (status, text, _) = self.ask(request.body(Body::from(form)).unwrap()).await;
        (status, text)
    }

    /// As somebody with a token of their own, like programs and the command line.
    pub async fn vote(&mut self, person: &str, via: &str, signs: Digest) -> (StatusCode, Value) {
        let token = self.tokens.issue(&*self.api.ids, person, None, None);
        let body = json!({ "yes": true, "signs": signs });
        let request = Request::post(format!("/api/v1/waiting/{}/decision", self.run.root()))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .header("x-hostler-via", via)
            .body(Body::from(body.to_string()));
        let (status, text, _) = self.ask(request.unwrap()).await;
        (status, serde_json::from_str(&text).unwrap())
    }

    /// Everything that a vote would change: the lane, its letters, the ledger.
    pub async fn state(&self) -> (u64, usize, Vec<String>) {
        self.state_of(self.run.root()).await
    }

    pub async fn state_of(&self, lane: LaneId) -> (u64, usize, Vec<String>) {
        let reading = read::lane(&self.world.api, lane).await.unwrap();
        (
            reading.lane.version,
            reading.waiting.len(),
            self.ledger().await,
        )
    }

    pub async fn ledger(&self) -> Vec<String> {
        let entries = self.world.store.ledger(0).await.unwrap();
        entries.into_iter().map(|entry| entry.body).collect()
    }

    pub async fn signs(&self) -> Digest {
        let reading = read::lane(&self.world.api, self.run.root()).await.unwrap();
        let Phase::Person(person) = reading.lane.phase else {
            panic!("nobody is asked")
        };
        person.signs
    }

    pub async fn votes(&self) -> Vec<String> {
        let cast = |body: &String| {
            let body: Value = serde_json::from_str(body).ok()?;
            let vote = body.pointer("/entry/vote")?.clone();
            let vote: hostler_core::lane::Vote = serde_json::from_value(vote).ok()?;
            Some(format!(
                "{} {}",
                vote.who(),
                vote.via.clone().unwrap_or_default()
            ))
        };
        self.ledger().await.iter().filter_map(cast).collect()
    }

    /// Nothing is decided by this, whatever it is, and the answer says why and what to do.
    pub async fn refused(&self, path: &str, status: StatusCode, why: &str, remedy: &str) {
        let before = self.state().await;
        for form in ["decision=yes", "decision=no"] {
            let (found, page) = self.post(path, form).await;
            assert_eq!(found, status, "{why}: {page}");
            assert!(page.contains(why) && page.contains(remedy), "{why}: {page}");
        }
        self.world.settle().await.unwrap();
        assert_eq!(self.state().await, before, "{why}");
    }
}

/// The run that asks, over these servers.
pub fn scenario(targets: &str) -> Scenario {
    let text = format!(
        "scenario: s\nrunbook: ask\nstarter: olga\ninputs: {{ targets: \"{targets}\" }}\nexpect: {{ result: succeeded }}\n"
    );
    Scenario::read(&text).unwrap()
}

pub const CARLA: &str = "carla@platform.example";
pub const CEM: &str = "cem@platform.example";
