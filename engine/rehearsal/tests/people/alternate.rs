//! Alternate contacts: told where none of those who have the notices is reached, and then as good as they.
//!
//! Not here: each decision by itself (core's tests), and reports that are not believed (`returned`).

use super::returned::{ADA, BOB, Playing, under};
use super::told::stages;
use super::*;
use hostler_api::Subject;
use hostler_api::services::runs;
use hostler_core::id::RunId;
use hostler_ports::returned::Taken;
use hostler_ports::store::memory::Fault;
use std::sync::atomic::{AtomicU64, Ordering};

const EVE: &str = "eve@law.example";
const CLEO: &str = "cleo@chem.example";
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
const FOUR_DAYS: &str = "classes:\n  planned: { lead: 4d }\n";

fn scenario(runbook: &str, targets: &str) -> String {
    format!(
        "scenario: alternates\nrunbook: {runbook}\nstarter: olga\ninputs: {{ targets: '{targets}' }}\nexpect: {{ result: succeeded }}\n"
    )
}

/// Ada has the notices, Bob is the alternate contact of the same customer.
fn with_alternate() -> Estate {
    let estate = estate_with(|text| {
        text.replace(
            "mail: bob@chem.example, roles: [notices]",
            "mail: bob@chem.example, roles: [alternate]",
        )
    });
    under(estate, FOUR_DAYS)
}

fn playing(runbook: &str) -> Playing {
    Playing::of(with_alternate(), &scenario(runbook, "id=web1,web2"))
}

/// The stages of which somebody was told, in their order.
fn heard(playing: &Playing, to: &str) -> Vec<String> {
    let taken = playing.world.next_hop.taken().into_iter();
    let theirs = taken.filter(|message| message.to_address == to);
    theirs
        .map(|message| message.subject.trim_start_matches("work.").to_owned())
        .collect()
}

fn none() -> Vec<String> {
    Vec::new()
}

fn restarts(playing: &Playing) -> Vec<i64> {
    let seen = playing.world.host.seen().into_iter();
    let of = seen.filter(|seen| seen.action == "guest.reboot" && seen.entry == "perform");
    of.map(|seen| seen.at_ms).collect()
}

async fn pass(playing: &Playing, minutes: i64) {
    for _ in 0..minutes {
        playing.world.pass(MINUTE_MS).await.unwrap();
        playing.world.settle().await.unwrap();
    }
}

/// Lines of the ledger that say who was told instead.
async fn instead(playing: &Playing) -> Vec<String> {
    let lines = playing.ledger().await.into_iter();
    lines.filter(|line| line.contains("\"instead\"")).collect()
}

/// To whom `hostler run show` says that the notice fell back.
async fn shown(playing: &Playing, run: RunId) -> Vec<(String, Vec<String>)> {
    let olga = Subject::of(&*playing.world.api.directory, "olga", "cli").unwrap();
    let view = runs::show(&playing.world.api, &olga, run, None);
    let told = view.await.unwrap().root.fell_back.into_iter();
    told.map(|told| (told.customer, told.to)).collect()
}

#[tokio::test]
async fn where_the_usual_contacts_mail_comes_back_the_alternate_is_told_and_its_proof_counts() {
    let playing = playing("alternate");
    let run = playing.announced("one").await;
    pass(&playing, 60).await;
    assert_eq!(heard(&playing, BOB), none());
    assert_eq!(shown(&playing, run).await, []);

    assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
    playing.world.settle().await.unwrap();
    assert_eq!(heard(&playing, BOB), ["scheduled"], "at once");
    let told = playing.told(run).await;
    assert_eq!((told.sent, told.refused, told.alternates), (2, 1, 1));
    let proof = told.reached.unwrap();
    assert_eq!(proof.to, BOB);
    let lines = instead(&playing).await;
    assert!(
        matches!(&lines[..], [line] if line.contains(r#""instead":["bob"]"#)),
        "{lines:?}"
    );
    let fell_back = [("chem".to_owned(), vec!["bob".to_owned()])];
    assert_eq!(shown(&playing, run).await, fell_back);

    playing.until_over(run).await;
    let began = restarts(&playing);
    let in_time = |at_ms: &i64| *at_ms >= proof.at_ms + 4 * DAY_MS;
    assert_eq!(began.len(), 2);
    assert!(began.iter().all(in_time), "{began:?}");
    assert_eq!(heard(&playing, ADA), ["scheduled"], "a dead address");
    let all = ["scheduled", "started", "completed"];
    assert_eq!(heard(&playing, BOB), all);
    assert_eq!(
        shown(&playing, run).await,
        fell_back,
        "also when it is over"
    );
}

#[tokio::test]
async fn where_a_usual_contact_has_it_the_alternate_never_hears_of_it() {
    let playing = playing("alternate");
    let run = playing.announced("one").await;
    playing.until_over(run).await;
    pass(&playing, 60).await;
    assert_eq!(restarts(&playing).len(), 2);
    assert_eq!(heard(&playing, BOB), none());
    assert_eq!(heard(&playing, ADA), ["scheduled", "started", "completed"]);
    let rows = playing.rows(run).await;
    assert!(rows.iter().all(|row| row.to == ADA), "{rows:?}");
    assert_eq!(
        (instead(&playing).await, shown(&playing, run).await),
        (none(), vec![])
    );
}

#[tokio::test]
async fn as_long_as_one_of_several_has_it_no_alternate_is_told() {
    let with_cleo = estate_with(|text| {
        let bob = "{ id: bob, name: Bob, mail: bob@chem.example, roles: [notices] }";
        let cleo = "{ id: cleo, name: Cleo, mail: cleo@chem.example, roles: [alternate] }";
        text.replace(bob, &format!("{bob}, {cleo}"))
    });
    let estate = under(with_cleo, FOUR_DAYS);
    let playing = Playing::of(estate, &scenario("alternate", "id=web1,web2"));
    let run = playing.announced("one").await;
    assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
    pass(&playing, 60).await;
    assert_eq!(heard(&playing, CLEO), none());
    assert_eq!(playing.bounce(run, BOB).await, Taken::Bounced);
    playing.world.settle().await.unwrap();
    assert_eq!(heard(&playing, CLEO), ["scheduled"]);
}

#[tokio::test]
async fn where_the_alternates_mail_comes_back_too_no_server_is_disturbed_and_it_is_said_why() {
    let playing = playing("alternate");
    let run = playing.announced("one").await;
    for to in [ADA, BOB] {
        assert_eq!(playing.bounce(run, to).await, Taken::Bounced);
        playing.world.settle().await.unwrap();
    }
    let held = playing
        .until_said("2 sent, 1 of them to alternate contacts, 2 refused")
        .await;
    assert!(held.contains(r#""gate":"notice""#), "{held}");
    assert!(held.contains("mend the contacts"), "{held}");
    playing.until_over(run).await;
    assert!(restarts(&playing).is_empty());
    assert_eq!(instead(&playing).await.len(), 1, "nobody is left");
}

#[tokio::test]
async fn a_bounce_behind_the_proof_starts_the_clock_anew_and_a_second_one_changes_nothing() {
    let playing = playing("alternate");
    let run = playing.announced("one").await;
    let first = playing.told(run).await.reached.unwrap();
    assert_eq!(first.to, ADA);
    pass(&playing, 3 * 24 * 60).await;
    assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
    playing.world.settle().await.unwrap();
    let proof = playing.told(run).await.reached.unwrap();
    assert_eq!(proof.to, BOB);
    assert!(proof.at_ms >= first.at_ms + 3 * DAY_MS);
    let before = playing.ledger().await.len();
    assert_eq!(playing.bounce(run, ADA).await, Taken::Known);
    playing.world.settle().await.unwrap();
    assert_eq!(playing.ledger().await.len(), before);
    assert_eq!(playing.told(run).await.reached, Some(proof.clone()));
    playing.until_over(run).await;
    let began = restarts(&playing);
    let in_time = |at_ms: &i64| *at_ms >= proof.at_ms + 4 * DAY_MS;
    assert!(began.len() == 2 && began.iter().all(in_time), "{began:?}");
    assert_eq!(heard(&playing, BOB), ["scheduled", "started", "completed"]);
}

#[tokio::test]
async fn where_no_usual_contact_has_an_address_that_takes_mail_the_alternate_is_told_at_once() {
    let playing = playing("alternate");
    let run = playing.announced("one").await;
    assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
    playing.world.settle().await.unwrap();
    let run = playing.announced("two").await;
    let told = playing.told(run).await;
    assert_eq!((told.sent, told.alternates), (1, 1));
    assert_eq!(told.reached.unwrap().to, BOB);
    assert_eq!(shown(&playing, run).await.len(), 1);
}

#[tokio::test]
async fn without_the_term_or_without_an_alternate_contact_nothing_changes() {
    let without = || {
        under(
            estate_with(|text| text.replace("roles: [notices]", "roles: [budget]")),
            FOUR_DAYS,
        )
    };
    for (runbook, estate) in [("told", with_alternate()), ("alternate", without())] {
        let playing = Playing::of(estate, &scenario(runbook, "id=web1,web2"));
        let run = playing.announced("one").await;
        assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
        let held = playing.until_said("1 sent, 1 refused").await;
        assert!(held.contains(r#""gate":"notice""#), "{runbook}: {held}");
        playing.until_over(run).await;
        assert!(restarts(&playing).is_empty(), "{runbook}");
        assert_eq!(heard(&playing, BOB), none(), "{runbook}");
    }
}

#[tokio::test]
async fn who_stands_in_sees_no_other_customers_servers_and_no_other_customer_hears_of_it() {
    let all = scenario("alternate", "id=web1,law1");
    let playing = Playing::of(with_alternate(), &all);
    let run = playing.announced("one").await;
    assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
    playing.until_over(run).await;
    let all = ["scheduled", "started", "completed"];
    assert_eq!(heard(&playing, BOB), all);
    assert_eq!(heard(&playing, EVE), all);
    for message in playing.world.next_hop.taken() {
        let (own, other) = match message.to_address.as_str() {
            EVE => ("law1", ["web1", "bob", "ada"]),
            ADA | BOB => ("web1", ["law1", "eve", "law"]),
            other => panic!("{other} has nothing to do with it"),
        };
        assert!(message.text.contains(own), "{}", message.text);
        for name in other {
            let quoted = format!("\"{name}");
            assert!(!message.text.contains(&quoted), "{name}: {}", message.text);
        }
    }
}

#[tokio::test]
async fn what_does_not_take_place_is_told_to_who_stood_in() {
    let scenario = format!(
        "{}unreachable: [{ADA}]\nanswers: [{{ action: guest.reboot, reject: it is broken }}]\n",
        scenario("alternate", "id=web1,web2")
    );
    let outcome = played(with_alternate(), &scenario).await.unwrap();
    assert_eq!(stages(&outcome, ADA), none());
    let told = ["scheduled", "started", "cancelled"];
    assert_eq!(stages(&outcome, BOB), told);
}

#[tokio::test]
async fn whatever_commit_is_lost_the_alternate_is_told_exactly_once() {
    let scenario = format!(
        "{}unreachable: [{ADA}]\n",
        scenario("alternate", "id=web1,web2")
    );
    let scenario = Scenario::read(&scenario).unwrap();
    let cases = crash_after_each_commit(&stage(with_alternate()), &scenario).await;
    for Case { what, outcome } in cases.unwrap() {
        assert_eq!(outcome.ended.state, "succeeded", "{what}");
        let mut ids: Vec<_> = outcome.messages.iter().map(|it| &it.message_id).collect();
        ids.sort_unstable();
        ids.dedup();
        // One person, three stages: a message may be repeated under its id.
        assert_eq!(ids.len(), 3, "{what}");
        let instead = |line: &&String| line.contains("\"instead\"");
        assert_eq!(outcome.ledger.iter().filter(instead).count(), 1, "{what}");
    }
}

#[tokio::test]
async fn whatever_commit_is_lost_behind_a_bounce_the_alternate_is_told_exactly_once() {
    let faults = [Fault::AnswerLost, Fault::Unreached];
    for (lost, fault) in (1..=6).flat_map(|lost| faults.map(|fault| (lost, fault))) {
        let playing = playing("alternate");
        let run = playing.announced("one").await;
        pass(&playing, 60).await;
        let commits = AtomicU64::new(0);
        playing.world.store.set_faults(Box::new(move |verb, _| {
            let counts = verb == "commit";
            let number = counts.then(|| commits.fetch_add(1, Ordering::SeqCst) + 1);
            (number == Some(lost)).then_some(fault)
        }));
        assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
        pass(&playing, 60).await;
        let told = playing.told(run).await;
        assert_eq!((told.sent, told.alternates), (2, 1), "{lost}");
        assert_eq!(told.reached.unwrap().to, BOB, "{lost}");
        assert_eq!(instead(&playing).await.len(), 1, "{lost}");
        let mut ids: Vec<_> = playing
            .world
            .next_hop
            .taken()
            .into_iter()
            .map(|it| it.message_id)
            .collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), 2, "{lost}");
    }
}
