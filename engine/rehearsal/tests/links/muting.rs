//! The way out of a message that its recipient need not have: who is told less from then on, of what, and what changes
//! nothing.
//!
//! Not here: the headers of a mail (the channel's).

use crate::support::{CARLA, CEM, House, estate, plain, scenario};
use axum::body::Body;
use axum::http::{Request, StatusCode, header};
use hostler_core::mail::muted_document;
use hostler_ports::channel::Message;
use hostler_ports::store::Store;
use hostler_rehearsal::{LEAVE, LINKS, begin};

pub const RITA: &str = "rita@redmark.example";
pub const BOB: &str = "bob@bluemark.example";
pub const TARGETS: &str = "id=redmark-web1,bluemark-db1";
pub const CLICK: &str = "List-Unsubscribe=One-Click";
/// How often a program that looks through mails follows a link.
const SCANS: usize = 20;

/// The board and then every customer says so.
pub async fn decided(house: &House, customers: &[&str], form: &'static str) {
    for mail in [CARLA, CEM] {
        assert_eq!(
            house.post(&house.link(mail), "decision=yes").await.0,
            StatusCode::OK
        );
    }
    house.goes_on().await;
    for mail in customers {
        let mut counted = 0;
        // There is a question for each server; those of earlier runs are settled.
        for link in house.messages_to(mail).iter().filter_map(House::link_of) {
            counted += usize::from(house.post(&link, form).await.0 == StatusCode::OK);
        }
        assert!(counted > 0, "{mail} was not asked");
    }
    house.goes_on().await;
}

/// A house behind a run that everybody has agreed to.
pub async fn behind_a_run() -> House {
    let house = House::asking(plain()).await;
    decided(&house, &[RITA, BOB], "decision=yes").await;
    house
}

/// One more run of the same.
async fn again(house: &House, key: &str, form: &'static str) {
    begin(&house.world, &scenario(TARGETS), key).await.unwrap();
    house.world.settle().await.unwrap();
    decided(house, &[RITA, BOB], form).await;
}

/// Notices to an address, by their stages.
pub fn stages(house: &House, mail: &str) -> Vec<String> {
    let stage = |message: Message| Some(message.subject.strip_prefix("work.")?.to_owned());
    house
        .messages_to(mail)
        .into_iter()
        .filter_map(stage)
        .collect()
}

/// The path of the newest way out, and the subject of a mail that takes it.
pub fn way_out(house: &House, mail: &str) -> (String, String) {
    let messages = house.messages_to(mail).into_iter().rev();
    let mut ways = messages.filter_map(|message| message.unsubscribe);
    let way = ways
        .next()
        .unwrap_or_else(|| panic!("{mail} has no way out"));
    let (address, subject) = way.mail.unwrap();
    assert_eq!(address, LEAVE);
    (way.link.strip_prefix(LINKS).unwrap().to_owned(), subject)
}

async fn entries(house: &House, event: &str) -> usize {
    let ledger = house.ledger().await;
    ledger.iter().filter(|line| line.contains(event)).count()
}

pub async fn is_muted(house: &House, customer: &str, person: &str) -> bool {
    let key = muted_document(customer, person);
    let found = house.world.store.documents(&[key]).await.unwrap();
    found
        .into_iter()
        .flatten()
        .any(|found| found.body.is_some())
}

#[tokio::test]
async fn who_takes_the_way_out_is_told_what_they_must_have_and_nothing_else_until_they_come_back() {
    let house = behind_a_run().await;
    assert_eq!(stages(&house, RITA), ["scheduled", "completed"]);
    for message in house.messages_to(RITA) {
        let is_optional = message.subject == "work.completed";
        assert_eq!(message.unsubscribe.is_some(), is_optional, "{message:?}");
    }
    let (out, _) = way_out(&house, RITA);
    let (status, page) = house.post(&out, CLICK).await;
    assert_eq!(
        (status, page.contains("only what you must have")),
        (StatusCode::OK, true),
        "{page}"
    );
    let before = stages(&house, RITA).len();
    again(&house, "second", "decision=yes").await;
    again(&house, "third", "decision=no").await;
    // She is the only one there who is told: nothing that must be had is lost by it.
    let told = stages(&house, RITA).split_off(before);
    assert_eq!(told, ["scheduled", "scheduled", "cancelled"]);
    assert_eq!(entries(&house, "told only what they must have").await, 1);
    let all = [
        "scheduled",
        "completed",
        "scheduled",
        "completed",
        "scheduled",
        "cancelled",
    ];
    assert_eq!(stages(&house, BOB), all, "nobody else is told less");
    let (_, page) = house.get(&out).await;
    assert!(page.contains("You have asked not to be told"), "{page}");
    let (status, page) = house.post(&out, "choice=all").await;
    assert_eq!(
        (status, page.contains("told everything")),
        (StatusCode::OK, true),
        "{page}"
    );
    let before = stages(&house, RITA).len();
    again(&house, "fourth", "decision=yes").await;
    assert_eq!(
        stages(&house, RITA).split_off(before),
        ["scheduled", "completed"]
    );
    assert_eq!(
        (
            entries(&house, "notices_muted").await,
            entries(&house, "notices_unmuted").await
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn a_program_that_follows_the_way_out_changes_nothing_and_sees_no_other_page() {
    let house = behind_a_run().await;
    let ((out, _), before) = (way_out(&house, RITA), house.ledger().await);
    for scan in 0..SCANS {
        let method = if scan % 2 == 0 { "GET" } else { "HEAD" };
        let query = ["", "?choice=less", "?List-Unsubscribe=One-Click"][scan % 3];
        let request = Request::builder()
            .method(method)
            .uri(format!("{out}{query}"));
        let (status, page, head) = house.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(head.headers()["cache-control"], "no-store");
        if method == "GET" {
            let shown = [
                "You are Rita Redmark",
                "Institute Redmark",
                "what is planned",
                "<form",
            ];
            assert!(shown.iter().all(|part| page.contains(part)), "{page}");
        }
    }
    for form in ["", "choice=", "decision=yes", "list-unsubscribe=one-click"] {
        let (status, page) = house.post(&out, form).await;
        assert_eq!(
            (status, page.contains("nothing was chosen")),
            (StatusCode::BAD_REQUEST, true),
            "{page}"
        );
    }
    assert_eq!(house.ledger().await, before);
    assert!(!is_muted(&house, "redmark", "rita-redmark").await);
}

#[tokio::test]
async fn the_same_choice_again_in_whatever_form_changes_nothing_and_the_links_text_is_kept_nowhere()
{
    let house = behind_a_run().await;
    let (out, _) = way_out(&house, RITA);
    for _ in 0..3 {
        assert_eq!(house.post(&out, CLICK).await.0, StatusCode::OK);
    }
    let parts = "--b\r\nContent-Disposition: form-data; name=\"List-Unsubscribe\"\r\n\r\nOne-Click\r\n--b--\r\n";
    let click = Request::post(&out).header(header::CONTENT_TYPE, "multipart/form-data; boundary=b");
    let (status, _, head) = house.ask(click.body(Body::from(parts)).unwrap()).await;
    assert_eq!(
        status,
        StatusCode::OK,
        "and it leads nowhere else: {head:?}"
    );
    assert_eq!(entries(&house, "notices_muted").await, 1);
    assert!(is_muted(&house, "redmark", "rita-redmark").await);
    for _ in 0..2 {
        assert_eq!(house.post(&out, "choice=all").await.0, StatusCode::OK);
    }
    assert_eq!(entries(&house, "notices_unmuted").await, 1);
    assert!(!is_muted(&house, "redmark", "rita-redmark").await);
    let chance = &out[out.len() - 64..];
    assert!(!house.ledger().await.join("\n").contains(chance));
}

#[tokio::test]
async fn a_way_out_is_its_recipients_and_of_that_customer_alone() {
    let mut house = behind_a_run().await;
    let ((rita, _), (bob, _)) = (way_out(&house, RITA), way_out(&house, BOB));
    let before = house.ledger().await;
    let flipped = if rita.ends_with('0') { '1' } else { '0' };
    let long = rita.strip_prefix("/notices/").unwrap();
    let (_, short) = long.split_once('.').unwrap();
    let other_run = long.replacen(&long[..8], "00000000", 1);
    let deciding = house.link(RITA);
    let deciding = deciding.strip_prefix("/decide/").unwrap();
    let run = house.run.0.simple();
    for wrong in [
        format!("{}{flipped}", &rita[..rita.len() - 1]),
        format!("{}{}", &rita[..rita.len() - 64], &bob[bob.len() - 64..]),
        format!("/notices/{short}"),
        format!("/notices/{other_run}"),
        format!("/notices/{deciding}"),
        format!("/notices/{run}.{deciding}"),
        format!("/decide/{long}"),
        format!("/decide/{short}"),
    ] {
        assert_eq!(house.get(&wrong).await.0, StatusCode::NOT_FOUND, "{wrong}");
        for form in [CLICK, "choice=all", "decision=yes&choice=less"] {
            let (status, page) = house.post(&wrong, form).await;
            assert!(status.is_client_error(), "{wrong}: {page}");
        }
    }
    assert_eq!(house.ledger().await, before);
    assert_eq!(house.post(&rita, CLICK).await.0, StatusCode::OK);
    assert!(!is_muted(&house, "bluemark", "bob-bluemark").await);
    // Who gets no notices of that customer any more has nothing to leave.
    let silent = |text: String| {
        text.replace(
            "rita@redmark.example, roles: [owner, notices]",
            "rita@redmark.example, roles: [owner] }
      - { id: ruth-redmark, name: Ruth Redmark, mail: ruth@redmark.example, roles: [notices]",
        )
    };
    house.reads(estate(silent, "roles: {}\n"));
    let (status, page) = house.post(&rita, "choice=all").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{page}");
    assert!(
        page.contains("any more") && !page.to_lowercase().contains("redmark"),
        "{page}"
    );
}
