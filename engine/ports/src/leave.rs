//! People who write that they want no more messages of what they need not have.
//!
//! Whoever writes is a stranger: what counts is the link in the subject, which came with one message of ours. Not here:
//! receiving it, and what follows from it.

use async_trait::async_trait;

/// The word that begins such a subject.
pub const UNSUBSCRIBE: &str = "unsubscribe";

/// Takes such a wish. Called for each mail that has one in its subject; may block on the store.
#[async_trait]
pub trait TakeLeave: Send + Sync + 'static {
    /// `link`: what stood behind `unsubscribe`. True is durable, and the same link again changes nothing; false: it opens
    /// nothing.
    ///
    /// # Errors
    /// When the store does not answer: the mail is to come again.
    async fn take(&self, link: &str) -> Result<bool, String>;
}
