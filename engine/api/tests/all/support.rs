//! A small estate, one runbook, one plugin, a store in memory.

use async_trait::async_trait;
use hostler_api::catalogue::{RunbookRow, Runbooks};
use hostler_api::services::start::{StartAsk, start};
use hostler_api::{Api, Subject, read};
use hostler_core::contract::Contract;
use hostler_core::definition::Definition;
use hostler_core::directory::Directory;
use hostler_core::id::{Digest, RunId};
use hostler_core::plan::Plan;
use hostler_estate::{Estate, Known};
use hostler_ports::channel::{Compose, Composed, Draft};
use hostler_ports::plugin::{Call, Description, Entry, HostError, PluginHost, Reply};
use hostler_ports::store::memory::{CountedIds, ManualClock, MemoryStore};
use hostler_runbook::{Environment, SourceFile};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const MONITOR: &str = include_str!("../../../../sdk/contracts/monitor@1.json");

pub const ESTATE: &str = r#"
realm: main
zone: UTC
catalog:
  os: [{ id: debian-13, label: Debian 13 }, { id: rhel-10, label: RHEL 10 }]
connections:
  one: { plugin: practice, url: "http://127.0.0.1:9/", addresses: ["127.0.0.1/32"], limits: { at_once: 7, per_host: 7 } }
  two: { plugin: absent, url: "http://127.0.0.1:9/", addresses: ["127.0.0.1/32"], limits: { at_once: 1, per_host: 1 } }
customers:
  chemistry:
    name: Chemistry
    zone: UTC
    people:
      - { id: chem, name: Chem, mail: chem@chemistry.example, roles: [owner, notices], confirmed: 2026-09-01 }
assets:
  web1: { customer: chemistry, kind: virtual, os: debian-13, address: 192.0.2.1, ring: canary, via: { monitor: one } }
  web2: { customer: chemistry, kind: virtual, os: debian-13, address: 192.0.2.2, via: { monitor: one } }
  bare: { customer: chemistry, kind: virtual, os: debian-13, address: 192.0.2.3 }
  lost: { customer: chemistry, kind: virtual, os: debian-13, address: 192.0.2.4, via: { monitor: two } }
"#;

pub const PEOPLE: &str = "
roles: { change-board: approves }
people:
  olga: { name: Olga, mail: olga@platform.example, roles: [operator] }
  carla: { name: Carla, mail: carla@platform.example, roles: [change-board] }
  cem: { name: Cem, mail: cem@platform.example, roles: [change-board] }
  ada: { name: Ada, mail: ada@platform.example, roles: [admin] }
  vera: { name: Vera, mail: vera@platform.example, roles: [viewer] }
  nobody: { name: Nobody, mail: nobody@platform.example, roles: [] }
";

/// Approves first, then touches every target.
pub const RUNBOOK: &str = r#"
runbook: touch
version: 1
title: Touch servers
owner: tests
needs: [monitor@1]
inputs:
  targets: { type: selector, default: "id=web1,web2", label: Servers }
  times: { type: integer, default: 1 }
policy: { class: standard-patch, start: [operator], four_eyes: true }
steps:
  - id: go
    approve: { who: role:change-board, show: [plan], expires: 5d, on_expire: deny }
  - id: touch
    each:
      over: "${{ inputs.targets }}"
      as: asset
      order: [{ wave: canary, match: "ring=canary" }, { wave: rest }]
      at_once: 2
      stop_at: { count: 1 }
      on_failure: stop
    steps:
      - { id: noop, do: monitor.healthy }
"#;

struct Shelf(Arc<Definition>);

impl Runbooks for Shelf {
    fn list(&self) -> Vec<RunbookRow> {
        let row = |version, faults| RunbookRow {
            name: self.0.runbook.clone(),
            version,
            title: self.0.title.clone(),
            owner: self.0.owner.clone(),
            released: false,
            source: None,
            faults,
        };
        vec![
            row(1, Vec::new()),
            row(2, vec!["v2.yaml:1:1 HR001 wrong".to_owned()]),
        ]
    }

    fn definition(&self, name: &str, version: u32) -> Option<Arc<Definition>> {
        (name == self.0.runbook && version == 1).then(|| Arc::clone(&self.0))
    }
}

struct OnePlugin(Arc<Description>);

#[async_trait]
impl PluginHost for OnePlugin {
    fn plugins(&self) -> BTreeMap<Digest, Arc<Description>> {
        [(Digest::of(b"practice"), Arc::clone(&self.0))].into()
    }

    async fn call(&self, _: Entry, _: Call) -> Result<Reply, HostError> {
        Err(HostError::Internal(
            "nothing is called in these tests".to_owned(),
        ))
    }
}

struct Plain;

impl Compose for Plain {
    fn compose(&self, draft: &Draft) -> Result<Composed, String> {
        let text = draft.template.clone();
        Ok(Composed {
            subject: text.clone(),
            text,
            html: String::new(),
            calendar: None,
        })
    }
}

pub struct World {
    pub api: Api,
    pub clock: Arc<ManualClock>,
}

pub fn contract() -> Contract {
    serde_json::from_str(MONITOR).unwrap()
}

pub fn estate() -> Estate {
    estate_with(|text| text.to_owned())
}

pub fn estate_with(change: impl Fn(&str) -> String) -> Estate {
    let read = |path: &str| {
        Ok(match path {
            "estate.yaml" => change(ESTATE),
            _ => PEOPLE.to_owned(),
        })
    };
    hostler_estate::load(&["estate.yaml", "people.yaml"], &read, &Known::default())
        .unwrap_or_else(|faults| panic!("{faults}"))
}

/// Of a notice `note`, for runbooks that tell customers.
fn templates() -> BTreeMap<String, String> {
    let stages = ["scheduled", "started", "completed", "cancelled"];
    let parts = stages.iter().flat_map(|stage| {
        ["subject", "text"].map(|part| (format!("note.{stage}.{part}.hbs"), "Note".to_owned()))
    });
    parts.collect()
}

pub fn definition(text: &str) -> Definition {
    let source = SourceFile {
        name: "touch/v1.yaml".into(),
        text: text.into(),
        templates: templates(),
    };
    let checked = hostler_runbook::check(
        &source,
        &Environment::default().with_contracts([contract()]),
    );
    checked
        .definition
        .unwrap_or_else(|| panic!("{:#?}", checked.faults))
}

pub fn world() -> World {
    world_with(RUNBOOK)
}

pub fn world_with(runbook: &str) -> World {
    let (store, clock) = MemoryStore::with_manual_clock();
    let description = Description {
        name: "practice".into(),
        version: "1".into(),
        actions: contract().actions,
    };
    let api = Api {
        store: Arc::new(store),
        directory: Arc::new(estate()),
        plugins: Arc::new(OnePlugin(Arc::new(description))),
        runbooks: Arc::new(Shelf(Arc::new(definition(runbook)))),
        compose: Arc::new(Plain),
        ids: Arc::new(CountedIds::default()),
        archive: None,
        sealed: None,
        schedules: Arc::default(),
        step_up: Arc::default(),
    };
    World { api, clock }
}

impl World {
    pub fn subject(&self, person: &str) -> Subject {
        Subject::of(&*self.api.directory, person, "cli").unwrap()
    }

    /// Olga starts it with these inputs; what was planned.
    pub async fn planned(&self, inputs: Value) -> Plan {
        let started = start(&self.api, &self.subject("olga"), ask(inputs), None).await;
        let row = read::run(&self.api, started.unwrap().run).await.unwrap();
        read::plan(&self.api, row.plan).await.unwrap()
    }

    pub async fn started(&self) -> RunId {
        start(&self.api, &self.subject("olga"), ask(json!({})), None)
            .await
            .unwrap()
            .run
    }
}

pub fn ask(inputs: Value) -> StartAsk {
    StartAsk {
        runbook: "touch".into(),
        version: None,
        inputs,
        reason: Some("test".into()),
    }
}

#[test]
fn the_estate_of_these_tests_has_who_they_name() {
    let estate = estate();
    assert_eq!(estate.people_with("role:change-board"), ["carla", "cem"]);
    assert!(
        estate
            .qualifications("nobody")
            .iter()
            .all(|held| !held.starts_with("role:"))
    );
}
