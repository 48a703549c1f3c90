//! Checkpoints in places elsewhere: what they are given, and what they find out.

use super::desk::{Desk, World, key};
use async_trait::async_trait;
use hostler_archive::seal::{
    ExportError, Exporter, FolderPlace, LATEST, MessagePlace, ObjectShelf, Place, Shelf,
};
use hostler_ledger::checkpoint::Checkpoint;
use hostler_ledger::verify::verify;
use hostler_ports::channel::{Channel, Delivery, Message};
use std::sync::{Arc, Mutex};

fn exporter(ledger: &Arc<Desk>, places: Vec<Arc<dyn Place>>) -> Exporter {
    let shelf = Arc::clone(ledger) as Arc<dyn Shelf>;
    Exporter::new(shelf, key().verifier().clone(), places)
}

fn folder(shelf: Arc<dyn Shelf>) -> Arc<dyn Place> {
    Arc::new(FolderPlace::new("elsewhere".into(), shelf))
}

async fn sealed(lines: usize, what: &str) -> World {
    let world = World::new();
    world.tell(lines, what).await;
    world.seal().await.unwrap();
    world
}

/// A mailbox that keeps what it takes.
#[derive(Default)]
struct Mailbox {
    taken: Mutex<Vec<Message>>,
    shut: Mutex<bool>,
}

#[async_trait]
impl Channel for Mailbox {
    async fn deliver(&self, message: &Message) -> Delivery {
        if *self.shut.lock().unwrap() {
            let answer = "451 later".into();
            return Delivery::Deferred { answer };
        }
        self.taken.lock().unwrap().push(message.clone());
        Delivery::Accepted {
            answer: "250 ok".into(),
            sha256: String::new(),
        }
    }
}

#[tokio::test]
async fn a_folder_elsewhere_has_every_checkpoint_and_the_ledger_verifies_under_all_of_them() {
    let world = World::new();
    let elsewhere = tempfile::tempdir().unwrap();
    let shelf = || Arc::new(ObjectShelf::open(elsewhere.path()).unwrap());
    for lines in [0, 3, 250, 0, 300] {
        world.tell(lines, "x").await;
        world.seal().await.unwrap();
        // A process that began anew knows nothing of the last one.
        let faults = exporter(&world.desk, vec![folder(shelf())]).pass().await;
        assert!(faults.is_empty(), "{faults:?}");
    }
    let mut names: Vec<_> = std::fs::read_dir(elsewhere.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    let sizes = [3, 253, 553].map(|size| format!("{size:020}.checkpoint"));
    assert_eq!(names[..3], sizes);
    assert_eq!(names[3..], [LATEST]);
    let read = |name: &String| {
        let text = std::fs::read(elsewhere.path().join(name)).unwrap();
        Checkpoint::open(&text, key().verifier()).unwrap()
    };
    let exported: Vec<_> = names.iter().map(read).collect();
    let files = world.desk.files.lock().unwrap().clone();
    let report = verify(&files, key().verifier(), &exported).unwrap();
    assert_eq!((report.fault, report.head.size), (None, 553));
}

#[tokio::test]
async fn a_ledger_that_went_back_is_found_and_not_exported() {
    let (before, after) = (sealed(300, "x").await, sealed(200, "x").await);
    let place = Arc::new(Desk::default());
    let given = || vec![folder(Arc::clone(&place) as _)];
    assert!(exporter(&before.desk, given()).pass().await.is_empty());
    let latest = || place.files.lock().unwrap()[LATEST].clone();
    let was = latest();
    let faults = exporter(&after.desk, given()).pass().await;
    assert!(
        matches!(
            &faults[..],
            [ExportError::WentBack {
                exported: 300,
                sealed: 200,
                ..
            }]
        ),
        "{faults:?}"
    );
    assert!(faults[0].needs_person());
    assert_eq!(latest(), was);
}

#[tokio::test]
async fn a_ledger_that_was_written_anew_under_its_own_key_is_found() {
    let (before, rewritten) = (sealed(300, "x").await, sealed(700, "y").await);
    let place = Arc::new(Desk::default());
    let given = || vec![folder(Arc::clone(&place) as _)];
    assert!(exporter(&before.desk, given()).pass().await.is_empty());
    let faults = exporter(&rewritten.desk, given()).pass().await;
    let found = matches!(&faults[..], [ExportError::Rewritten { exported: 300, .. }]);
    assert!(found, "{faults:?}");
}

#[tokio::test]
async fn a_place_that_was_given_a_checkpoint_of_somebody_else_is_named() {
    let world = sealed(3, "x").await;
    let place = Arc::new(Desk::default());
    let foreign = ("latest".to_owned(), b"main\n1\nnonsense\n".to_vec());
    place.files.lock().unwrap().extend([foreign]);
    let faults = exporter(&world.desk, vec![folder(Arc::clone(&place) as _)]);
    let faults = faults.pass().await;
    let found = matches!(&faults[..], [ExportError::Foreign { place, .. }] if place == "elsewhere");
    assert!(found, "{faults:?}");
}

#[tokio::test]
async fn a_mailbox_is_sent_a_checkpoint_once_also_by_the_next_process_and_again_when_it_was_shut() {
    let world = sealed(3, "x").await;
    let mailbox = Arc::new(Mailbox::default());
    let pass = async || {
        let place = MessagePlace::new(
            "audit@elsewhere.example".into(),
            "platform.example".into(),
            Arc::clone(&mailbox) as _,
            Arc::clone(&world.desk) as _,
        );
        exporter(&world.desk, vec![Arc::new(place)]).pass().await
    };
    *mailbox.shut.lock().unwrap() = true;
    let faults = pass().await;
    let away = matches!(&faults[..], [ExportError::Away { why, .. }] if why == "451 later");
    assert!(away && !faults[0].needs_person(), "{faults:?}");
    *mailbox.shut.lock().unwrap() = false;
    for _ in 0..3 {
        assert!(pass().await.is_empty());
    }
    world.tell(2, "x").await;
    world.seal().await.unwrap();
    assert!(pass().await.is_empty());
    let taken = mailbox.taken.lock().unwrap().clone();
    let ids: Vec<_> = taken.iter().map(|message| &*message.message_id).collect();
    assert_eq!(
        ids,
        [
            "checkpoint.main.3@platform.example",
            "checkpoint.main.5@platform.example"
        ]
    );
    // What was sent can be cut out and counts.
    let note = taken[1].text.split_once("\n\n").unwrap().1;
    let sent = Checkpoint::open(note.as_bytes(), key().verifier()).unwrap();
    assert_eq!(sent.head().size, 5);
}

#[tokio::test]
async fn a_place_that_is_away_does_not_keep_the_others_waiting() {
    let world = sealed(3, "x").await;
    let (dead, well) = (Arc::new(Desk::default()), Arc::new(Desk::default()));
    *dead.crash.lock().unwrap() = Some((0, false));
    let places = [&dead, &well].map(|desk| folder(Arc::clone(desk) as _));
    let faults = exporter(&world.desk, places.to_vec()).pass().await;
    assert!(matches!(&faults[..], [ExportError::Away { .. }]));
    assert!(well.files.lock().unwrap().contains_key(LATEST));
}
