//! Facts about child lanes and the records that they leave beside their parent.

use super::facts;
use super::kit::*;
use crate::store::{Batch, Child, Cursor, READ_MAX, Spawn, Then};

facts![
    children_are_listed_in_the_order_of_spawning,
    a_child_leaves_its_record_beside_its_parent,
    many_children_are_read_page_by_page,
    spawning_twice_changes_nothing,
];

fn child_of(number: u32, key: &str) -> Spawn {
    let parent = lane(number);
    let lane = parent.child("patch", 0, key);
    Spawn {
        parent: Some(parent),
        key: Some(key.into()),
        ..spawn(run(number), lane)
    }
}

async fn children_are_listed_in_the_order_of_spawning(kit: &Kit<'_>) {
    let parent = kit.held(1).await;
    let spawned: Vec<Spawn> = ["z", "a", "m"].iter().map(|key| child_of(1, key)).collect();
    let order: Vec<_> = spawned.iter().map(|spawn| spawn.lane).collect();
    kit.commit(
        &parent,
        1,
        Batch {
            spawn: spawned,
            ..events(&["spawned"])
        },
    )
    .await;
    let page = kit
        .store()
        .children(lane(1), Cursor::default())
        .await
        .unwrap();
    assert_eq!(
        page.entries
            .iter()
            .map(|child| child.lane)
            .collect::<Vec<_>>(),
        order
    );
    assert_eq!(
        page.entries[1],
        Child {
            lane: order[1],
            key: "a".into(),
            record: None
        }
    );
    assert_eq!(page.next, None);
    let claims: Vec<_> = kit
        .claim(9)
        .await
        .into_iter()
        .map(|claim| claim.lane)
        .collect();
    assert_eq!(claims, order);
    let header = kit.load(order[0]).await.header;
    assert_eq!(
        (header.parent, header.run, header.version),
        (Some(lane(1)), run(1), 1)
    );
}

async fn a_child_leaves_its_record_beside_its_parent(kit: &Kit<'_>) {
    let parent = kit.held(1).await;
    let spawned = vec![child_of(1, "a"), child_of(1, "b")];
    kit.commit(
        &parent,
        1,
        Batch {
            spawn: spawned.clone(),
            ..events(&["spawned"])
        },
    )
    .await;
    let second = kit.claim(9).await.remove(1);
    let record = Child {
        lane: spawned[1].lane,
        key: "b".into(),
        record: Some("{\"ok\":1}".into()),
    };
    let send = vec![post(lane(1), 1)];
    kit.commit(
        &second,
        1,
        Batch {
            collect: Some(record.clone()),
            send,
            then: Then::End,
            ..Batch::default()
        },
    )
    .await;
    let page = kit
        .store()
        .children(lane(1), Cursor::default())
        .await
        .unwrap();
    assert_eq!(page.entries.len(), 2);
    assert_eq!(
        (page.entries[0].record.clone(), &page.entries[1]),
        (None, &record)
    );
    assert_eq!(kit.letters(lane(1)).await, ["command 1"]);
    let names = ["b".to_owned(), "never".to_owned(), "a".to_owned()];
    let some = kit.store().child_records(lane(1), &names).await.unwrap();
    assert_eq!((&some[0], &some[1]), (&Some(record), &None));
    assert_eq!(
        some[2].as_ref().map(|child| child.lane),
        Some(spawned[0].lane)
    );
}

async fn many_children_are_read_page_by_page(kit: &Kit<'_>) {
    let parent = kit.held(1).await;
    for page in 0..6 {
        let spawn = (0..100)
            .map(|n| child_of(1, &format!("k{:04}", page * 100 + n)))
            .collect();
        kit.commit(
            &parent,
            1,
            Batch {
                spawn,
                ..Batch::default()
            },
        )
        .await;
    }
    let first = kit
        .store()
        .children(lane(1), Cursor::default())
        .await
        .unwrap();
    let second = kit
        .store()
        .children(lane(1), first.next.unwrap())
        .await
        .unwrap();
    assert_eq!(
        (first.entries.len(), second.entries.len(), second.next),
        (READ_MAX, 100, None)
    );
    assert_eq!(second.entries[0].key, "k0500");
}

async fn spawning_twice_changes_nothing(kit: &Kit<'_>) {
    let parent = kit.held(1).await;
    let batch = Batch {
        spawn: vec![child_of(1, "a")],
        ..Batch::default()
    };
    kit.commit(&parent, 1, batch.clone()).await;
    let child = kit.claim(9).await.remove(0);
    kit.commit(
        &child,
        1,
        Batch {
            then: Then::Park,
            ..events(&["worked"])
        },
    )
    .await;
    kit.commit(&parent, 1, batch).await;
    kit.nothing_is_ready().await;
    assert_eq!(kit.load(child.lane).await.events, ["born", "worked"]);
    assert_eq!(
        kit.store()
            .children(lane(1), Cursor::default())
            .await
            .unwrap()
            .entries
            .len(),
        1
    );
}
