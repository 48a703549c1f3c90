//! Takes every message over at once, so that what a delivered one leaves behind can be measured.
//!
//! Not here: mail as people get it (`channel-mail`).

use async_trait::async_trait;
use hostler_ports::channel::{Channel, Compose, Composed, Delivery, Draft, Message};
use hostler_ports::store::Store;
use hostler_worker::{Outbox, OutboxParts};
use std::sync::Arc;

/// What a next hop answers, and the digest of what it took.
const ANSWER: &str = "250 2.0.0 Ok: queued as 4VfTYk3xW2z1";
const SHA256: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

struct Post;

#[async_trait]
impl Channel for Post {
    async fn deliver(&self, _message: &Message) -> Delivery {
        Delivery::Accepted {
            answer: ANSWER.to_owned(),
            sha256: SHA256.to_owned(),
        }
    }
}

impl Compose for Post {
    fn compose(&self, draft: &Draft) -> Result<Composed, String> {
        Ok(Composed {
            subject: draft.template.clone(),
            text: draft.context.to_string(),
            html: String::new(),
            calendar: None,
        })
    }
}

pub fn outbox(store: Arc<dyn Store>) -> Arc<Outbox> {
    Outbox::new(OutboxParts {
        store,
        channel: Arc::new(Post),
        compose: Arc::new(Post),
        links: None,
        tags: None,
    })
}
