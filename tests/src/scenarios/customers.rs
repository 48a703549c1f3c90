//! What customers are told: never of another's servers, in no run of any runbook; and also where there are many.
//!
//! Not here: single notices and their words.

use super::stage::{self, practice_with};
use super::{good_of, scenarios};
use hostler_core::directory::Directory;
use hostler_rehearsal::{Outcome, Scenario, Stage, play};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// More than the messages of one stage fit into one commit.
const MANY: usize = 120;

/// The estate with so many further customers, each with two people and a server.
fn crowded() -> Stage {
    practice_with(|text| {
        let customers: String = (0..MANY).map(customer).collect();
        let assets: String = (0..MANY).map(asset).collect();
        text.replace("customers:\n", &format!("customers:\n{customers}"))
            .replace("\nassets:\n", &format!("\nassets:\n{assets}"))
    })
}

fn customer(number: usize) -> String {
    format!(
        "  many{number}:
    name: Institute {number}
    calendar: campus
    contract: {{ service: co-managed, consent: none, deferrals: 2 per quarter, reboots: 2 per month }}
    people:
      - {{ id: m{number}a, name: A {number}, mail: a@many{number}.practice.example, roles: [owner, notices], confirmed: 2026-09-01 }}
      - {{ id: m{number}b, name: B {number}, mail: b@many{number}.practice.example, roles: [notices], confirmed: 2026-09-01 }}
"
    )
}

fn asset(number: usize) -> String {
    let (net, host) = (number / 200, number % 200 + 1);
    format!(
        "  many{number}-srv: {{ customer: many{number}, kind: virtual, os: debian-13, parent: esx-01, ring: canary, address: 198.51.10{net}.{host} }}\n"
    )
}

/// What of other customers a message names, by what is found in it.
fn strangers(stage: &Stage, outcome: &Outcome) -> Vec<String> {
    let directory = &*stage.directory;
    let marks = marks(directory);
    let mut found = Vec::new();
    for message in &outcome.messages {
        let Some(customer) = customer_of(directory, &message.to_address) else {
            continue;
        };
        let calendar = message.calendar.clone().unwrap_or_default();
        let told = [&*message.subject, &message.text, &message.html, &calendar].join(" ");
        let words: BTreeSet<&str> = told
            .split(|letter: char| !(letter.is_alphanumeric() || "-._@".contains(letter)))
            .map(|word| word.trim_matches('.'))
            .collect();
        let theirs = |word: &&&str| marks.get(**word).is_some_and(|owner| *owner != customer);
        found.extend(
            words
                .iter()
                .filter(theirs)
                .map(|word| format!("{} ({customer}) is told of {word}", message.to_address)),
        );
    }
    found
}

/// What tells a customer: names and addresses of servers, ids of customers, addresses of people.
fn marks(directory: &dyn Directory) -> BTreeMap<String, String> {
    let mut marks = BTreeMap::new();
    for asset in directory.select("id=*").unwrap() {
        let record = directory.asset(&asset).unwrap();
        let Some(customer) = record["customer"].as_str() else {
            continue;
        };
        let address = record["address"].as_str().map(str::to_owned);
        for mark in [Some(asset), address].into_iter().flatten() {
            marks.insert(mark, customer.to_owned());
        }
    }
    for customer in directory.customers() {
        for contact in directory.contacts(&customer, "notices") {
            marks.insert(contact.mail, customer.clone());
        }
        marks.insert(customer.clone(), customer);
    }
    marks
}

fn customer_of(directory: &dyn Directory, address: &str) -> Option<String> {
    let has = |customer: &String| {
        let contacts = directory.contacts(customer, "notices");
        contacts.iter().any(|contact| contact.mail == address)
    };
    directory.customers().into_iter().find(has)
}

/// Messages by stage as the customers' people got them: each person has one of a kind.
fn each_once(outcome: &Outcome) -> BTreeMap<String, usize> {
    let mut seen = BTreeSet::new();
    for message in &outcome.messages {
        assert!(seen.insert(&message.message_id), "{}", message.message_id);
    }
    let count = |(stage, count): (&String, &u32)| (stage.clone(), *count as usize);
    outcome.notices.iter().map(count).collect()
}

#[tokio::test]
async fn nobody_is_told_of_another_customers_servers_in_any_scenario() {
    let stage = stage::practice();
    let mut told = 0;
    for (name, scenario) in scenarios() {
        let outcome = play(&stage, &scenario).await.unwrap();
        let strangers = strangers(&stage, &outcome);
        assert_eq!(strangers, [""; 0], "{name}");
        told += outcome.messages.len();
    }
    assert!(told > 50, "{told} messages in all");
}

#[test]
fn a_message_that_names_a_stranger_is_found() {
    let stage = stage::practice();
    let marks = marks(&*stage.directory);
    assert_eq!(marks["lib-web1"], "library");
    assert_eq!(marks["192.0.2.25"], "library");
    assert_eq!(marks["chloe@chemistry.practice.example"], "chemistry");
}

#[tokio::test]
async fn a_run_over_many_customers_tells_each_of_them_once_a_stage() {
    let stage = crowded();
    let scenario = good_of("monthly-patch");
    let targets = (0..MANY).map(|number| format!("many{number}-srv"));
    let targets = targets.collect::<Vec<_>>().join(",");
    let mut inputs = scenario.inputs.clone();
    inputs["targets"] = Value::from(format!("id={targets}"));
    let scenario = Scenario { inputs, ..scenario };
    let outcome = play(&stage, &scenario).await.unwrap();
    assert_eq!(outcome.ended.state, "succeeded", "{:?}", outcome.ended);
    let told = each_once(&outcome);
    for stage in ["scheduled", "started", "completed"] {
        assert_eq!(told[stage], 2 * MANY, "{stage}");
    }
    assert_eq!(strangers(&stage, &outcome), [""; 0]);
}
