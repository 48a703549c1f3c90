//! Messages that come back after they were taken: who counts as told from then on, and who is told next time.
//!
//! Not here: bounces between a look and a commit (the scenarios' races), and reading reports (the channel's).

use super::*;
use hostler_api::Subject;
use hostler_api::services::notices;
use hostler_core::gate::{Told, told_document};
use hostler_core::id::RunId;
use hostler_core::view::MailRow;
use hostler_ports::channel::ReturnTag;
use hostler_ports::returned::{NotReached, Returned, Taken, Vouched};
use hostler_ports::store::{READ_MAX, Store};
use hostler_rehearsal::{World, begin};
use hostler_worker::come_back;

const SCENARIO: &str = "
scenario: it comes back
runbook: told
starter: olga
inputs: { targets: 'customer=chem' }
expect: { result: succeeded }
";
pub const ADA: &str = "ada@chem.example";
pub const BOB: &str = "bob@chem.example";
/// Simulated minutes in which everything of these runs happens.
const MINUTES_MAX: u32 = 30_000;

/// With these classes of the policies.
pub fn under(estate: Estate, classes: &'static str) -> Estate {
    let read = |_: &str| Ok(classes.to_owned());
    let classes = policies::load(&["classes.yaml"], &read, &policies::Known::default());
    estate.under(classes.unwrap_or_else(|faults| panic!("{faults}")))
}

pub struct Playing {
    pub world: World,
    scenario: Scenario,
}

impl Playing {
    fn new(estate: Estate) -> Self {
        Self::of(estate, SCENARIO)
    }

    pub fn of(estate: Estate, scenario: &str) -> Self {
        let scenario = Scenario::read(scenario).unwrap();
        let world = World::new(&stage(estate), &scenario);
        Self { world, scenario }
    }

    /// A run whose customer has the announcement.
    pub async fn announced(&self, key: &str) -> RunId {
        let run = begin(&self.world, &self.scenario, key).await.unwrap();
        self.world.settle().await.unwrap();
        run
    }

    /// To whom the announcements of a run went.
    async fn to(&self, run: RunId) -> Vec<String> {
        let rows = self.rows(run).await.into_iter();
        let mut to: Vec<_> = rows
            .filter(|row| row.stage == "scheduled")
            .map(|row| row.to)
            .collect();
        to.sort_unstable();
        to
    }

    pub async fn rows(&self, run: RunId) -> Vec<MailRow> {
        let olga = Subject::of(&*self.world.api.directory, "olga", "cli").unwrap();
        notices::list(&self.world.api, &olga, run).await.unwrap()
    }

    /// The tag of the address from which the announcement to `to` was sent last.
    fn tag(&self, to: &str) -> Option<ReturnTag> {
        let taken = self.world.next_hop.taken().into_iter();
        let mut theirs = taken.filter(|it| it.to_address == to && it.subject == "work.scheduled");
        theirs.next_back().unwrap().return_tag
    }

    /// What a mail server says of the announcement to `to`.
    async fn report(&self, run: RunId, to: &str, how: impl FnOnce(&mut Returned)) -> Taken {
        let vouched = Vouched::Address(self.tag(to));
        self.report_under(&vouched, run, to, how).await
    }

    async fn report_under(
        &self,
        vouched: &Vouched,
        run: RunId,
        to: &str,
        how: impl FnOnce(&mut Returned),
    ) -> Taken {
        let rows = self.rows(run).await.into_iter();
        let mut sent = rows.filter(|row| row.stage == "scheduled" && row.to == to);
        let mut returned = Returned {
            message_id: sent.next().unwrap().message_id,
            recipients: vec![NotReached {
                addresses: vec![to.to_uppercase()],
                failed: true,
                status: "5.1.1".to_owned(),
                diagnostic: "nobody of that name".to_owned(),
            }],
        };
        how(&mut returned);
        let (store, directory) = (&*self.world.store, &*self.world.api.directory);
        let taken = come_back(store, directory, &returned, vouched).await;
        taken.unwrap()
    }

    pub async fn bounce(&self, run: RunId, to: &str) -> Taken {
        self.report(run, to, |_| ()).await
    }

    pub async fn told(&self, run: RunId) -> Told {
        let key = told_document(run, "work", "chem");
        let found = self.world.store.documents(&[key]).await.unwrap();
        let body = found.into_iter().flatten().find_map(|found| found.body);
        serde_json::from_str(&body.unwrap()).unwrap()
    }

    pub async fn ledger(&self) -> Vec<String> {
        let (mut lines, mut from) = (Vec::new(), 0);
        loop {
            let more = self.world.store.ledger(from).await.unwrap();
            let read = more.len();
            from += read as u64;
            lines.extend(more.into_iter().map(|entry| entry.body));
            if read < READ_MAX {
                return lines;
            }
        }
    }

    /// Lets minutes pass until a line of the ledger says so.
    pub async fn until_said(&self, part: &str) -> String {
        for _ in 0..MINUTES_MAX {
            self.world.settle().await.unwrap();
            let mut lines = self.ledger().await.into_iter();
            if let Some(line) = lines.find(|line| line.contains(part)) {
                return line;
            }
            self.world.pass(60_000).await.unwrap();
        }
        panic!("nobody said {part}: {:#?}", self.ledger().await)
    }

    pub async fn until_over(&self, run: RunId) {
        for _ in 0..MINUTES_MAX {
            self.world.settle().await.unwrap();
            let row = self.world.store.run_summary(run).await.unwrap();
            let row: serde_json::Value = serde_json::from_str(&row.unwrap()).unwrap();
            if !row["ended_ms"].is_null() {
                return;
            }
            self.world.pass(60_000).await.unwrap();
        }
        panic!("it has no end");
    }

    pub fn restarts(&self) -> usize {
        let seen = self.world.host.seen();
        let of = seen.iter().filter(|seen| seen.action == "guest.reboot");
        of.count()
    }
}

/// What is otherwise in a report than it should be.
type Change = fn(&mut Returned);

#[tokio::test]
async fn a_message_that_comes_back_counts_no_more_and_nothing_else_is_believed_of_a_report() {
    let playing = Playing::new(estate());
    let run = playing.announced("one").await;
    assert_eq!(playing.told(run).await.reached.unwrap().to, ADA);
    let before = playing.ledger().await.len();
    let unbelieved: [(Taken, Change); 4] = [
        (Taken::OtherRecipient, |it| {
            it.recipients[0].addresses = vec![BOB.to_owned()];
        }),
        (Taken::NotFailed, |it| it.recipients[0].failed = false),
        (Taken::NotOurs, |it| it.message_id.push('x')),
        (Taken::NotOurs, |it| it.message_id.insert(0, 'x')),
    ];
    for (taken, how) in unbelieved {
        assert_eq!(playing.report(run, ADA, how).await, taken);
    }
    assert_eq!(playing.ledger().await.len(), before);
    assert_eq!(playing.told(run).await.reached.unwrap().to, ADA);

    assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
    assert_eq!(playing.bounce(run, ADA).await, Taken::Known);
    let told = playing.told(run).await;
    assert_eq!((told.reached.unwrap().to.as_str(), told.refused), (BOB, 1));
    let rows = playing.rows(run).await;
    let announced = |row: &&MailRow| row.to == ADA && row.stage == "scheduled";
    let row = rows.iter().find(announced).unwrap();
    assert_eq!(
        (row.state.as_str(), row.dead),
        ("bounced", true),
        "{rows:?}"
    );
    assert!(row.answer.as_ref().unwrap().contains("5.1.1"), "{row:?}");
    let lines = playing.ledger().await;
    assert_eq!(lines.len(), before + 1);
    assert!(lines[before].contains("mail_bounced"), "{}", lines[before]);
}

#[tokio::test]
async fn who_never_handled_a_message_cannot_report_that_it_came_back() {
    let playing = Playing::new(estate());
    let run = playing.announced("one").await;
    let before = playing.ledger().await.len();
    let strange = ReturnTag::new([u128::MAX, 7].map(uuid::Uuid::from_u128));
    for tag in [None, Some(strange), playing.tag(BOB)] {
        let under = Vouched::Address(tag);
        let taken = playing.report_under(&under, run, ADA, |_| ()).await;
        assert_eq!(taken, Taken::WrongAddress, "{under:?}");
    }
    assert_eq!(playing.ledger().await.len(), before);
    assert_eq!(playing.told(run).await.reached.unwrap().to, ADA);
    // Whoever has the key of the door is believed, and so is its own address.
    let signed = Vouched::Signed;
    let taken = playing.report_under(&signed, run, BOB, |_| ()).await;
    assert_eq!(taken, Taken::Bounced);
    assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
}

#[tokio::test]
async fn where_nobody_has_the_notice_any_more_no_server_is_disturbed() {
    let playing = Playing::new(under(estate(), "classes:\n  planned: { lead: 20d }\n"));
    let run = playing.announced("one").await;
    for to in [ADA, BOB] {
        assert_eq!(playing.bounce(run, to).await, Taken::Bounced);
    }
    let held = playing.until_said("2 sent, 2 refused").await;
    assert!(held.contains("\"notice\""), "{held}");
    playing.until_over(run).await;
    assert_eq!(playing.restarts(), 0);
    // Nobody hears a change or a cancellation of what they never had.
    let messages = playing.world.next_hop.taken();
    assert_eq!(messages.len(), 2, "{messages:?}");
}

#[tokio::test]
async fn a_dead_address_is_told_nothing_until_a_later_date_confirms_it() {
    let playing = Playing::new(estate());
    let run = playing.announced("one").await;
    playing
        .report(run, ADA, |it| it.recipients[0].status = "4.4.7".to_owned())
        .await;
    let run = playing.announced("two").await;
    assert_eq!(playing.to(run).await, [ADA, BOB], "given up, not dead");
    playing.bounce(run, ADA).await;
    let run = playing.announced("three").await;
    assert_eq!(playing.to(run).await, [BOB]);

    for (confirmed, to) in [
        // The day on which it came back, and the next.
        ("2026-01-01", vec![BOB]),
        ("2026-01-02", vec![ADA, BOB]),
    ] {
        let files = text("estate.yaml").replace(
            "mail: ada@chem.example,",
            &format!("mail: ada@chem.example, confirmed: {confirmed},"),
        );
        let read = |_: &str| Ok(files.clone());
        let estate = hostler_estate::load(&["estate.yaml"], &read, &Known::default()).unwrap();
        let again = Playing::new(estate);
        let run = again.announced("one").await;
        again.bounce(run, ADA).await;
        let run = again.announced("two").await;
        assert_eq!(again.to(run).await, to, "{confirmed}");
    }
}

#[tokio::test]
async fn whose_mail_came_back_is_no_confirmed_contact_for_the_gate() {
    let files = text("estate.yaml").replace(
        "mail: ada@chem.example,",
        "mail: ada@chem.example, confirmed: 2025-12-31,",
    );
    let read = |_: &str| Ok(files.clone());
    let estate = hostler_estate::load(&["estate.yaml"], &read, &Known::default()).unwrap();
    let playing = Playing::new(under(estate, "classes:\n  planned: { confirmed: 90d }\n"));
    let run = playing.announced("one").await;
    assert_eq!(playing.bounce(run, ADA).await, Taken::Bounced);
    let held = playing.until_said("mail to ada came back").await;
    assert!(held.contains("\"contact\""), "{held}");
    assert_eq!(playing.restarts(), 0);
}
