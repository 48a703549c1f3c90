//! What lies in a run's record, and that it reads as it was written. Not here: what a summary says.

use crate::durability::start;
use crate::server::Server;
use hostler_core::id::Digest;
use hostler_ports::store::{Start, Started, Store};

/// A run with a summary that names the digest of what was asked, perhaps.
fn with_summary(number: u128, summary: String) -> Start {
    Start {
        run_summary: summary,
        ..start(number)
    }
}

async fn bytes_of_record(server: &Server, start: &Start) -> usize {
    let key = [b"h:{main}.r:", &start.run.0.as_bytes()[..]].concat();
    let mut command = redis::cmd("STRLEN");
    command.arg(key);
    command
        .query_async(&mut server.admin().await)
        .await
        .unwrap()
}

#[tokio::test]
async fn the_digest_of_what_was_asked_lies_in_a_record_once() {
    let server = Server::start(&[]).await;
    let store = server.store("main").await;
    let body = start(1).body;
    let other = Digest::of(b"another");
    let same = with_summary(1, format!(r#"{{"plan":"{body}","state":"waiting"}}"#));
    let differs = with_summary(2, format!(r#"{{"plan":"{other}","state":"waiting"}}"#));
    for start in [&same, &differs] {
        store.start(start.clone()).await.unwrap();
        let record = store.run_record(start.run).await.unwrap().unwrap();
        assert_eq!(record.body, body);
        assert_eq!(record.summary, start.run_summary);
        let again = store.start(start.clone()).await.unwrap();
        assert_eq!(again, Started::Same, "it is known by that digest");
    }
    let (once, twice) = (
        bytes_of_record(&server, &same).await,
        bytes_of_record(&server, &differs).await,
    );
    assert!(once + 24 < twice, "{once} bytes, and {twice}");
}
