//! What a link decides, and all that must not count.

use crate::support::{CARLA, CEM, HOUR_MS, House, estate, plain, scenario};
use axum::body::Body;
use axum::http::{Request, StatusCode};
use hostler_core::id::{Digest, LaneId};
use hostler_estate::Estate;
use hostler_ports::store::Store;
use hostler_rehearsal::begin;

/// How often a program that looks through mails follows a link.
const SCANS: usize = 100;

#[tokio::test]
async fn whoever_is_asked_gets_one_message_with_a_link_and_nobody_else() {
    let house = House::asking(plain()).await;
    let taken = house.world.next_hop.taken();
    let mut asked: Vec<&str> = taken.iter().map(|message| &*message.to_address).collect();
    asked.sort_unstable();
    // Olga has started it: her vote would not count.
    assert_eq!(asked, [CARLA, CEM]);
    assert_ne!(house.link(CARLA), house.link(CEM));
}

#[tokio::test]
async fn where_many_read_a_message_it_has_no_link() {
    let targets = "id=redmark-web1,bluemark-db1";
    let house = House::asking_in(plain(), targets, &[CARLA]).await;
    assert_eq!(House::link_of(&house.message_to(CARLA)), None);
    assert!(House::link_of(&house.message_to(CEM)).is_some());
}

#[tokio::test]
async fn a_link_decides_as_whoever_it_was_sent_to_and_its_text_is_kept_nowhere() {
    let house = House::asking(plain()).await;
    let (carla, cem) = (house.link(CARLA), house.link(CEM));
    let (status, page) = house.get(&carla).await;
    assert_eq!(status, StatusCode::OK, "{page}");
    let shown = [
        "May these servers restart?",
        "You are carla",
        "redmark-web1",
        "bluemark-db1",
        "olga",
        "Open until",
        "all (consent): opens at once",
    ];
    for part in shown {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("<script"), "{page}");
    let (status, page) = house.post(&carla, "decision=yes&comment=fine").await;
    assert_eq!(
        (status, page.contains("Your decision counts")),
        (StatusCode::OK, true),
        "{page}"
    );
    let (status, _) = house.post(&cem, "decision=yes").await;
    assert_eq!(status, StatusCode::OK);
    house.world.settle().await.unwrap();
    assert_eq!(house.votes().await, ["carla link", "cem link"]);
    for link in [&carla, &cem] {
        let secret = link.rsplit('/').next().unwrap();
        let ledger = house.ledger().await.join("\n");
        assert!(!ledger.contains(&secret[32..]), "the ledger has a link");
        let message: LaneId = secret[..32].parse().unwrap();
        let loaded = house.world.store.load(message, 0).await.unwrap().unwrap();
        assert!(
            !loaded.events.join("\n").contains(&secret[32..]),
            "the log has a link"
        );
        assert!(!loaded.header.summary.contains(&secret[32..]));
    }
}

#[tokio::test]
async fn a_page_is_not_kept_framed_or_told_on() {
    let house = House::asking(plain()).await;
    let request = Request::get(house.link(CARLA)).body(Body::empty()).unwrap();
    let (_, _, head) = house.ask(request).await;
    let of = |name: &str| head.headers()[name].to_str().unwrap().to_owned();
    assert_eq!(of("cache-control"), "no-store");
    assert_eq!(of("referrer-policy"), "no-referrer");
    let policy = of("content-security-policy");
    for part in [
        "default-src 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ] {
        assert!(policy.contains(part), "{policy}");
    }
}

#[tokio::test]
async fn a_program_that_follows_every_link_decides_nothing() {
    let house = House::asking(plain()).await;
    let (link, before) = (house.link(CARLA), house.state().await);
    for scan in 0..SCANS {
        let method = if scan % 2 == 0 { "GET" } else { "HEAD" };
        let query = ["", "?decision=yes", "?prefetch=1"][scan % 3];
        let request = Request::builder()
            .method(method)
            .uri(format!("{link}{query}"));
        let request = request
            .header("sec-purpose", "prefetch")
            .header("purpose", "prefetch");
        let (status, ..) = house.ask(request.body(Body::empty()).unwrap()).await;
        assert_eq!(status, StatusCode::OK);
    }
    // A form that says neither decides nothing either.
    for form in ["", "decision=maybe", "comment=yes"] {
        let (status, page) = house.post(&link, form).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{page}");
        assert!(page.contains("neither yes nor no"), "{page}");
    }
    house.world.settle().await.unwrap();
    assert_eq!(house.state().await, before);
    assert_eq!(
        house.post(&link, "decision=yes").await.0,
        StatusCode::OK,
        "it still counts"
    );
}

#[tokio::test]
async fn links_that_must_not_count_do_not_and_say_why() {
    let mut house = House::asking(plain()).await;
    let (carla, cem) = (house.link(CARLA), house.link(CEM));
    let unknown = (
        StatusCode::NOT_FOUND,
        "this link opens nothing",
        "copy the whole link",
    );
    // Tampered with: another digit, the message of one with the chance of another, cut off, no link at all.
    let flipped = if carla.ends_with('0') { '1' } else { '0' };
    let tampered = format!("{}{flipped}", &carla[..carla.len() - 1]);
    let mixed = format!("{}{}", &carla[..carla.len() - 64], &cem[cem.len() - 64..]);
    let lane = format!("/decide/{}{}", house.run.root().0.simple(), "0".repeat(64));
    for wrong in [
        &tampered,
        &mixed,
        &carla[..carla.len() - 1],
        &*lane,
        "/decide/x",
    ] {
        house.refused(wrong, unknown.0, unknown.1, unknown.2).await;
    }
    // The role is lost after the link was sent; then the person.
    let demoted = |text: String| {
        text.replace(
            "carla@platform.example, roles: [change-board]",
            "carla@platform.example, roles: [viewer]",
        )
    };
    house.reads(estate(demoted, "roles: {}\n"));
    house
        .refused(
            &carla,
            StatusCode::FORBIDDEN,
            "carla is not among those asked",
            "somebody who is must decide",
        )
        .await;
    let gone = |text: String| {
        text.lines()
            .filter(|line| !line.contains("carla:"))
            .collect::<Vec<_>>()
            .join("\n")
    };
    house.reads(estate(gone, "roles: {}\n"));
    house
        .refused(
            &carla,
            StatusCode::FORBIDDEN,
            "carla is not here any more",
            "somebody else",
        )
        .await;
    house.reads(plain());
    // Used twice: while the question is open, and when it is settled.
    assert_eq!(house.post(&carla, "decision=yes").await.0, StatusCode::OK);
    house.world.settle().await.unwrap();
    house
        .refused(
            &carla,
            StatusCode::CONFLICT,
            "carla has decided already",
            "nothing is left to do",
        )
        .await;
    // The same person by another door.
    let signs = house.signs().await;
    let before = house.state().await;
    assert_eq!(
        house.vote("carla", "cli", signs).await.1["code"],
        "decided-already"
    );
    assert_eq!(house.state().await, before);
    // Over: nobody has looked at the timer yet.
    house.world.clock.advance(HOUR_MS + 1);
    let (status, page) = house.get(&cem).await;
    assert_eq!(status, StatusCode::CONFLICT, "{page}");
    assert!(page.contains("the time to decide is over"), "{page}");
    assert!(!page.contains("<form"), "{page}");
}

#[tokio::test]
async fn a_settled_question_and_one_that_was_asked_anew_open_for_no_old_link() {
    let house = House::asking(plain()).await;
    let cem = house.link(CEM);
    assert_eq!(
        house.post(&house.link(CARLA), "decision=no").await.0,
        StatusCode::OK
    );
    house.world.settle().await.unwrap();
    house
        .refused(
            &cem,
            StatusCode::CONFLICT,
            "it is settled",
            "what was decided",
        )
        .await;
}

#[tokio::test]
async fn a_link_of_one_run_decides_nothing_in_another() {
    let house = House::asking(plain()).await;
    let first = house.link(CARLA);
    let other = begin(&house.world, &scenario("id=redmark-web1"), "second")
        .await
        .unwrap();
    house.world.settle().await.unwrap();
    let before = house.state_of(other.root()).await;
    assert_ne!(house.link(CARLA), first, "the second run's own");
    assert_eq!(house.post(&first, "decision=yes").await.0, StatusCode::OK);
    house.world.settle().await.unwrap();
    let after = house.state_of(other.root()).await;
    assert_eq!((after.0, after.1), (before.0, before.1));
}

#[tokio::test]
async fn the_same_vote_is_refused_at_every_door_by_the_same_name() {
    for via in ["api", "cli"] {
        let mut house = House::asking(plain()).await;
        let (signs, before) = (house.signs().await, house.state().await);
        let other = Digest::of(b"something else");
        let cases = [
            ("olga", signs, "four-eyes"),
            ("vera", signs, "not-asked"),
            ("rita-redmark", signs, "forbidden"),
            ("carla", other, "changed"),
        ];
        for (person, signs, code) in cases {
            let (status, problem) = house.vote(person, via, signs).await;
            assert!(status.is_client_error(), "{person}: {problem}");
            assert_eq!(problem["code"], code, "{via} {person}: {problem}");
        }
        house.world.settle().await.unwrap();
        assert_eq!(house.state().await, before);
        assert_eq!(house.vote("carla", via, signs).await.0, StatusCode::OK);
        let voted = house.state().await;
        let (_, problem) = house.vote("carla", via, signs).await;
        assert_eq!(problem["code"], "decided-already", "{problem}");
        assert_eq!(house.state().await, voted);
        assert_eq!(house.votes().await, [format!("carla {via}")]);
        // The role was lost meanwhile, and at last the time is over.
        let demoted = |text: String| {
            text.replace(
                "cem@platform.example, roles: [change-board]",
                "cem@platform.example, roles: [viewer]",
            )
        };
        house.reads(estate(demoted, "roles: {}\n"));
        assert_eq!(house.vote("cem", via, signs).await.1["code"], "not-asked");
        house.reads(plain());
        house.world.clock.advance(HOUR_MS + 1);
        assert_eq!(house.vote("cem", via, signs).await.1["code"], "expired");
    }
}

/// Of the day on which the simulated clock begins, and of the days after it.
fn delegating(house: &House, days_from: i64, who: &str, delegate: &str) -> Estate {
    use hostler_ports::clock::Clock as _;
    let now = jiff::Timestamp::from_millisecond(house.world.clock.now_ms()).unwrap();
    let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
    let day = today
        .checked_add(jiff::Span::new().days(days_from))
        .unwrap();
    let roles = format!(
        "roles: {{}}\ndelegates:\n  - {{ person: {who}, delegate: {delegate}, from: {day}, until: {day} }}\n"
    );
    estate(|text| text, &roles)
}

#[tokio::test]
async fn a_delegate_votes_on_the_dates_of_the_delegation_and_counts_as_one_with_who_named_them() {
    let mut house = House::asking(plain()).await;
    let signs = house.signs().await;
    for (days, who, code) in [
        (1, "carla", "not-asked"),
        (-1, "carla", "not-asked"),
        (0, "olga", "four-eyes"),
    ] {
        house.reads(delegating(&house, days, who, "vera"));
        assert_eq!(
            house.vote("vera", "api", signs).await.1["code"],
            code,
            "{days} {who}"
        );
    }
    house.reads(delegating(&house, 0, "carla", "vera"));
    assert_eq!(house.vote("vera", "api", signs).await.0, StatusCode::OK);
    assert_eq!(house.votes().await, ["vera for carla api"]);
    let before = house.state().await;
    assert_eq!(
        house.vote("carla", "cli", signs).await.1["code"],
        "decided-already"
    );
    house
        .refused(
            &house.link(CARLA),
            StatusCode::CONFLICT,
            "carla has decided already",
            "whoever stands in",
        )
        .await;
    assert_eq!(house.state().await, before);
    assert_eq!(house.vote("cem", "cli", signs).await.0, StatusCode::OK);
}
