//! Votes: who may, what is signed, what becomes of them.

use crate::support::{World, world};
use hostler_api::services::control::{ControlAsk, Wish, control};
use hostler_api::services::decide::{ChoiceAsk, VoteAsk, choose, vote};
use hostler_api::services::outcome::Settled;
use hostler_api::services::retry::{RetryAsk, retry};
use hostler_api::services::runs;
use hostler_api::services::waiting::{list, show};
use hostler_api::{Code, read};
use hostler_core::command::{AskEntry, Choice, Command, Entry, Input};
use hostler_core::decide::{Context, decide};
use hostler_core::definition::{OnDeny, OnExpire};
use hostler_core::id::{Digest, LaneId, RunId};
use hostler_core::lane::{Clause, Lane, PersonKind, Phase, Rules};
use hostler_core::view::{WaitingRow, index};
use hostler_ports::store::{Batch, Claim, ClaimAsk, IndexChange, Queue, Then, Upkeep};
use serde_json::Value;

pub fn signs() -> Digest {
    Digest::of(b"shown")
}

/// What a worker does with one lane: claims it, decides the inputs, commits.
pub async fn turn(world: &World, inputs: Vec<Input>) -> Lane {
    let ask = ClaimAsk {
        queue: Queue::Run,
        worker: "t".into(),
        max: 1,
        at_least: None,
        lease_ms: 30_000,
        wait_ms: 1_000,
        until: None,
    };
    let claim: Claim = world.api.store.claim(&ask).await.unwrap().remove(0);
    let loaded = world.api.store.load(claim.lane, 0).await.unwrap().unwrap();
    let reading = read::lane(&world.api, claim.lane).await.unwrap();
    let definition = read::definition(&world.api, reading.lane.opening.definition)
        .await
        .unwrap();
    let context = Context {
        definition: &definition,
        items: &[],
        settle_ms: 0,
    };
    let letters = loaded
        .inbox
        .iter()
        .map(|letter| Input::Command(serde_json::from_str::<Command>(&letter.body).unwrap()));
    let mut lane = reading.lane;
    let mut events = Vec::new();
    for input in letters.chain(inputs) {
        if let Ok(decision) = decide(context, &lane, input, reading.now_ms) {
            lane = decision.lane;
            events.extend(decision.events.iter().map(|event| event.to_json()));
        }
    }
    let batch = Batch {
        events,
        inbox_used: loaded.inbox.len(),
        index: vec![row(&lane)],
        then: Then::Park,
        ..Batch::default()
    };
    world
        .api
        .store
        .commit(claim.lane, &claim.fence, claim.header.version, batch)
        .await
        .unwrap();
    lane
}

fn row(lane: &Lane) -> IndexChange {
    let (index, member) = (index::WAITING.to_owned(), lane.id().to_string());
    let Phase::Person(person) = &lane.phase else {
        return IndexChange::Remove { index, member };
    };
    let row = WaitingRow {
        run: lane.opening.run,
        lane: lane.id(),
        runbook: "touch".into(),
        step: "go".into(),
        key: None,
        kind: person.kind,
        title: person.title.clone(),
        clauses: person.clauses.clone(),
        quorum: person.quorum,
        votes: person.votes.clone(),
        signs: person.signs,
        shown: None,
        form: Value::Null,
        asked_ms: person.asked_ms,
        expires_ms: person.expires_ms,
        escalated: false,
        reason: None,
        step_up: person.rules.step_up,
    };
    IndexChange::Put {
        index,
        member,
        score: person.asked_ms,
        body: serde_json::to_string(&row).unwrap(),
    }
}

fn question() -> Input {
    with(Rules::default())
}

pub fn with(rules: Rules) -> Input {
    Input::Enter(Entry::Person(Box::new(AskEntry {
        kind: PersonKind::Approve,
        title: "Go?".into(),
        clauses: vec![Clause {
            any_of: vec!["role:change-board".into()],
            at_least: 1,
        }],
        quorum: 1,
        form: Value::Null,
        shown: None,
        signs: signs(),
        excluded: vec!["cem".into()],
        expires_ms: None,
        on_expire: OnExpire::Deny,
        on_deny: OnDeny::Stop,
        rules,
        debt: None,
    })))
}

async fn asked() -> (World, RunId, LaneId) {
    asked_with(question()).await
}

pub async fn asked_with(question: Input) -> (World, RunId, LaneId) {
    let world = world();
    let run = world.started().await;
    let lane = turn(&world, vec![question]).await;
    assert!(matches!(lane.phase, Phase::Person(_)), "{:?}", lane.phase);
    (world, run, run.root())
}

pub fn yes(signs: Digest) -> VoteAsk {
    VoteAsk {
        yes: true,
        signs,
        comment: None,
        typed: None,
        waive: Vec::new(),
        code: None,
    }
}

#[tokio::test]
async fn a_yes_without_the_typed_name_or_with_a_stray_waiver_is_refused_by_name() {
    let (world, _, lane) = asked_with(with(Rules {
        typed: Some("web-01".to_owned()),
        may_waive: vec!["backup".to_owned()],
        ..Rules::default()
    }))
    .await;
    let says = |typed: Option<&str>, waive: &str| VoteAsk {
        typed: typed.map(str::to_owned),
        waive: vec![waive.to_owned()],
        ..yes(signs())
    };
    let carla = world.subject("carla");
    for (ask, code) in [
        (says(None, "backup"), Code::NotTyped),
        (says(Some("web-02"), "backup"), Code::NotTyped),
        (says(Some("web-01"), "approval"), Code::NotWaivable),
    ] {
        let problem = vote(&world.api, &carla, lane, ask, None).await.unwrap_err();
        assert_eq!(problem.code, code, "{problem}");
    }
    let ask = says(Some("web-01"), "backup");
    let answer = vote(&world.api, &carla, lane, ask, None);
    let (answer, settled) = tokio::join!(answer, turn(&world, Vec::new()));
    assert_eq!(answer.unwrap(), Settled::Done);
    assert_eq!(settled.results["go"].output["waived"][0], "backup");
}

#[test]
fn a_decision_without_the_new_fields_is_read_as_before() {
    let text = format!(r#"{{"yes":true,"signs":"{}"}}"#, signs());
    let ask: VoteAsk = serde_json::from_str(&text).unwrap();
    assert_eq!(ask, yes(signs()));
}

#[tokio::test]
async fn votes_that_do_not_count_are_refused_by_name_and_never_sent() {
    let (world, _, lane) = asked().await;
    let cases = [
        ("olga", yes(signs()), Code::NotAsked),
        ("cem", yes(signs()), Code::FourEyes),
        ("carla", yes(Digest::of(b"other")), Code::Changed),
        ("nobody", yes(signs()), Code::Forbidden),
        ("chem", yes(signs()), Code::Forbidden),
    ];
    for (person, ask, code) in cases {
        let problem = vote(&world.api, &world.subject(person), lane, ask, None)
            .await
            .unwrap_err();
        assert_eq!(problem.code, code, "{person}: {problem}");
    }
    let ask = ChoiceAsk {
        signs: signs(),
        choice: Choice::Retry,
        comment: None,
        output: Value::Null,
    };
    let problem = choose(&world.api, &world.subject("carla"), lane, ask, None)
        .await
        .unwrap_err();
    assert_eq!(problem.code, Code::WrongKind);
    assert!(
        read::lane(&world.api, lane)
            .await
            .unwrap()
            .waiting
            .is_empty()
    );
}

#[tokio::test]
async fn a_vote_is_done_when_the_lane_has_taken_it() {
    let (world, _, lane) = asked().await;
    let carla = world.subject("carla");
    let (settled, after) = tokio::join!(
        vote(&world.api, &carla, lane, yes(signs()), None),
        turn(&world, vec![])
    );
    assert_eq!(settled, Ok(Settled::Done));
    assert!(!matches!(after.phase, Phase::Person(_)));
    let again = vote(&world.api, &carla, lane, yes(signs()), None)
        .await
        .unwrap_err();
    assert_eq!(again.code, Code::NobodyAsked);
}

/// However many others wait: the list of all questions is not what a decision, or the page of a run, reads.
#[tokio::test]
async fn a_question_is_read_from_its_own_lane() {
    let (world, run, lane) = asked().await;
    let (index, member) = (index::WAITING.to_owned(), lane.to_string());
    let unlisted = Upkeep {
        index: vec![IndexChange::Remove { index, member }],
        ..Upkeep::default()
    };
    world.api.store.upkeep(unlisted).await.unwrap();
    let olga = world.subject("olga");
    assert_eq!(list(&world.api, &olga, false).await, Ok(Vec::new()));
    let shown = runs::show(&world.api, &olga, run, None).await.unwrap();
    assert_eq!((shown.waiting.len(), shown.waiting[0].lane), (1, lane));
    let carla = world.subject("carla");
    let (settled, _) = tokio::join!(
        vote(&world.api, &carla, lane, yes(signs()), None),
        turn(&world, vec![])
    );
    assert_eq!(settled, Ok(Settled::Done));
}

#[tokio::test(start_paused = true)]
async fn a_vote_that_nobody_has_looked_at_yet_is_accepted_and_its_repeat_is_known() {
    let (world, _, lane) = asked().await;
    let carla = world.subject("carla");
    for _ in 0..2 {
        let settled = vote(&world.api, &carla, lane, yes(signs()), Some("key")).await;
        assert_eq!(settled, Ok(Settled::Accepted));
    }
    assert_eq!(
        read::lane(&world.api, lane).await.unwrap().waiting.len(),
        1,
        "one letter, not two"
    );
}

#[tokio::test]
async fn a_vote_that_was_overtaken_is_refused() {
    let (world, run, lane) = asked().await;
    let (carla, olga) = (world.subject("carla"), world.subject("olga"));
    // The cancel is in the inbox before the vote: the vote's trial does not see it.
    let cancel = async {
        control(
            &world.api,
            &olga,
            run,
            Wish::Cancel,
            ControlAsk::default(),
            None,
        )
        .await
    };
    let late = async {
        while read::lane(&world.api, lane)
            .await
            .unwrap()
            .waiting
            .is_empty()
        {
            tokio::task::yield_now().await;
        }
        let (settled, _) =
            tokio::join!(vote(&world.api, &carla, lane, yes(signs()), None), async {
                while read::lane(&world.api, lane).await.unwrap().waiting.len() < 2 {
                    tokio::task::yield_now().await;
                }
                turn(&world, vec![]).await
            });
        settled
    };
    let (cancelled, voted) = tokio::join!(cancel, late);
    assert_eq!(cancelled, Ok(Settled::Done));
    assert_eq!(voted.unwrap_err().code, Code::Refused);
}

#[tokio::test]
async fn questions_are_listed_for_those_who_may_see_them() {
    let (world, _, lane) = asked().await;
    let cases = [
        ("olga", false, 1),
        ("olga", true, 0),
        ("carla", true, 1),
        ("vera", false, 1),
        ("chem", false, 0),
    ];
    for (person, mine, count) in cases {
        let rows = list(&world.api, &world.subject(person), mine)
            .await
            .unwrap();
        assert_eq!(rows.len(), count, "{person} {mine}");
    }
    assert_eq!(
        list(&world.api, &world.subject("nobody"), true)
            .await
            .unwrap_err()
            .code,
        Code::Forbidden
    );
    let view = show(&world.api, &world.subject("vera"), lane)
        .await
        .unwrap();
    assert_eq!(
        (view.mine, view.people),
        (false, vec!["carla".to_owned(), "cem".to_owned()])
    );
    assert_eq!(
        show(&world.api, &world.subject("chem"), lane)
            .await
            .unwrap_err()
            .code,
        Code::Forbidden
    );
}

#[tokio::test]
async fn steering_is_for_operators_and_the_starter_and_says_why_not() {
    let (world, run, _) = asked().await;
    let steer = |person: &'static str, wish| {
        let (subject, api) = (world.subject(person), world.api.clone());
        async move { control(&api, &subject, run, wish, ControlAsk::default(), None).await }
    };
    for person in ["vera", "carla", "nobody", "chem"] {
        assert_eq!(
            steer(person, Wish::Cancel).await.unwrap_err().code,
            Code::Forbidden,
            "{person}"
        );
    }
    assert_eq!(
        steer("olga", Wish::Resume).await.unwrap_err().code,
        Code::Refused
    );
    let (paused, _) = tokio::join!(steer("olga", Wish::Pause), turn(&world, vec![]));
    assert_eq!(paused, Ok(Settled::Done));
    let again = retry(
        &world.api,
        &world.subject("olga"),
        run,
        RetryAsk::default(),
        None,
    )
    .await
    .unwrap_err();
    assert_eq!(again.code, Code::NothingToRetry);
    let (olga, nil) = (world.subject("olga"), RunId(uuid::Uuid::nil()));
    let unknown = control(
        &world.api,
        &olga,
        nil,
        Wish::Pause,
        ControlAsk::default(),
        None,
    );
    assert_eq!(unknown.await.unwrap_err().code, Code::NotFound);
}
