//! No customer ever sees what is another's: in messages, on pages, in feeds, in receipts, over estates made by
//! chance.

use crate::support::{CARLA, CEM, House, estate, plain};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hostler_core::concern::Concern;
use hostler_core::sight::LEFT_OUT;
use hostler_core::view::{MailRow, index};
use hostler_estate::Estate;
use hostler_ports::store::{Cursor, Store};
use hostler_simulation::Chance;

/// Estates that are tried.
const SEEDS: u64 = 6;

#[tokio::test]
async fn customers_see_their_own_servers_on_pages_and_in_messages_and_nobody_elses() {
    let house = House::asking(plain()).await;
    for mail in [CARLA, CEM] {
        assert_eq!(
            house.post(&house.link(mail), "decision=yes").await.0,
            StatusCode::OK
        );
    }
    house.goes_on().await;
    let cases = [
        ("rita@redmark.example", "redmark", "bluemark"),
        ("bob@bluemark.example", "bluemark", "redmark"),
    ];
    for (mail, own, foreign) in cases {
        let message = house.message_to(mail);
        let (_, page) = house.get(&house.link(mail)).await;
        for told in [message.text, message.subject, page.clone()] {
            assert!(!told.to_lowercase().contains(foreign), "{mail}: {told}");
        }
        assert!(
            page.contains(&format!("{own}-")) && page.contains("<form"),
            "{page}"
        );
        assert!(page.contains(LEFT_OUT), "the selection names both: {page}");
        assert_eq!(
            house.post(&house.link(mail), "decision=yes").await.0,
            StatusCode::OK
        );
    }
    house.world.settle().await.unwrap();
    let index = index::notices(house.run);
    let page = house.world.store.query(&index, false, Cursor::default());
    let rows = page.await.unwrap().entries;
    let asked = rows
        .iter()
        .filter_map(|entry| serde_json::from_str::<MailRow>(&entry.body).ok());
    assert_eq!(
        asked
            .filter(|row| row.stage == "asked" && row.state == "accepted")
            .count(),
        4
    );
}

/// A word that stands nowhere else.
fn mark(chance: &mut Chance) -> String {
    let letters = (0..8).map(|_| char::from(b'a' + u8::try_from(chance.below(26)).unwrap()));
    format!("q{}q", letters.collect::<String>())
}

/// Customers whose ids, names, people and servers all carry a mark of their own.
pub fn marked(chance: &mut Chance) -> (Vec<String>, Estate) {
    let marks: Vec<String> = (0..2 + chance.below(4)).map(|_| mark(chance)).collect();
    let (mut customers, mut assets, mut targets) = (String::new(), String::new(), Vec::new());
    for (number, mark) in marks.iter().enumerate() {
        customers += &format!(
            "  {mark}:\n    name: The {mark} institute\n    people:\n      - {{ id: p-{mark}, name: Pat {mark}, mail: pat@{mark}.example, roles: [owner, notices] }}\n"
        );
        for host in 0..1 + chance.below(3) {
            let id = format!("{mark}-srv{host}");
            assets += &format!(
                "  {id}: {{ customer: {mark}, name: {mark} server {host}, kind: virtual, os: debian-13, address: 192.0.{number}.{host}, via: {{ guest: one }} }}\n"
            );
            targets.push(id);
        }
    }
    let change = |text: String| {
        let (before, rest) = text.split_once("customers:\n").unwrap();
        let (_, between) = rest.split_once("connections:\n").unwrap();
        let (connections, _) = between.split_once("assets:\n").unwrap();
        format!("{before}customers:\n{customers}connections:\n{connections}assets:\n{assets}")
    };
    (marks.clone(), estate(change, "roles: {}\n"))
}

pub fn strangers<'a>(marks: &'a [String], own: &str, told: &str) -> Vec<&'a String> {
    let told = told.to_lowercase();
    let others = marks.iter().filter(|mark| *mark != own);
    others.filter(|mark| told.contains(mark.as_str())).collect()
}

async fn nothing_foreign(seed: u64) -> usize {
    let (marks, estate) = marked(&mut Chance::of(seed, "customers"));
    let mut house = House::asking_over(estate, "id=*").await;
    for mail in [CARLA, CEM] {
        house.post(&house.link(mail), "decision=yes").await;
    }
    house.goes_on().await;
    let mut looked = 0;
    for own in &marks {
        let mail = format!("pat@{own}.example");
        let mut told = Vec::new();
        for message in house.messages_to(&mail) {
            told.push(message.subject.clone());
            told.push(message.text.clone());
            told.push(message.calendar.clone().unwrap_or_default());
            if let Some(path) = House::link_of(&message) {
                told.push(house.get(&path).await.1);
                told.push(house.post(&path, "decision=maybe").await.1);
                told.push(house.post(&path, "decision=yes").await.1);
                told.push(house.get(&path).await.1);
            }
        }
        let key = house.tokens.issue_feed(&*house.api.ids, own, None);
        let feed = format!("/api/v1/customers/{own}/calendar.ics?token={key}");
        let (status, feed) = house.get(&feed).await;
        assert_eq!(status, StatusCode::OK, "{feed}");
        assert!(
            feed.contains("BEGIN:VEVENT") && feed.contains(own.as_str()),
            "{feed}"
        );
        told.push(feed);
        let person = format!("p-{own}");
        told.push(house.as_person(&person, "/api/v1/waiting").await.1);
        for lane in house.lanes().await {
            told.push(
                house
                    .as_person(&person, &format!("/api/v1/waiting/{lane}"))
                    .await
                    .1,
            );
        }
        let concern = Concern::of(&*house.api.directory, own).unwrap();
        let receipt: Vec<String> = house
            .ledger()
            .await
            .into_iter()
            .filter(|body| concern.has(body))
            .collect();
        assert!(
            receipt.iter().any(|body| body.contains("vote_cast")),
            "seed {seed}: {own} agreed to nothing"
        );
        assert!(
            receipt.iter().any(|body| body.contains("mail_accepted")),
            "seed {seed}: {own} was told nothing"
        );
        told.extend(receipt);
        for text in &told {
            assert_eq!(
                strangers(&marks, own, text),
                Vec::<&String>::new(),
                "seed {seed}, {own}: {text}"
            );
        }
        looked += told.len();
        // The key of one feed opens no other.
        let other = marks.iter().find(|mark| *mark != own).unwrap();
        let (status, _) = house
            .get(&format!(
                "/api/v1/customers/{other}/calendar.ics?token={key}"
            ))
            .await;
        assert_eq!(status, StatusCode::FORBIDDEN);
    }
    looked
}

#[tokio::test]
async fn whatever_the_estate_no_byte_for_a_customer_names_another() {
    let mut looked = 0;
    for seed in 0..SEEDS {
        looked += nothing_foreign(seed).await;
    }
    println!("{looked} texts of {SEEDS} estates");
    assert!(looked > 100, "{looked}");
}

#[tokio::test]
async fn a_feed_opens_with_its_key_until_it_is_revoked() {
    let mut house = House::asking(plain()).await;
    let key = house.tokens.issue_feed(&*house.api.ids, "redmark", None);
    let path = format!("/api/v1/customers/redmark/calendar.ics?token={key}");
    let request = Request::get(&path).body(Body::empty()).unwrap();
    let (status, feed, head) = house.ask(request).await;
    assert_eq!(status, StatusCode::OK, "{feed}");
    assert_eq!(
        head.headers()["content-type"],
        "text/calendar; charset=utf-8"
    );
    for wrong in ["", "?token=", "?token=hostler_x"] {
        let (status, _) = house
            .get(&format!("/api/v1/customers/redmark/calendar.ics{wrong}"))
            .await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{wrong}");
    }
    assert_eq!(house.tokens.revoke_feed("redmark"), 1);
    assert_eq!(house.get(&path).await.0, StatusCode::UNAUTHORIZED);
}
