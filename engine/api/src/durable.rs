//! An answer says that what was asked is kept: it waits until that is durable to the configured degree.
//!
//! Not here: what becomes of what was kept.

use crate::Api;
use crate::problem::{Code, Problem};
use hostler_ports::store::{Confirmed, Seq};

/// Waits for the commit `seq`; without one, for everything that the store has by now.
///
/// # Errors
/// `store-unavailable` while nobody can say whether a failover would lose it.
pub async fn kept(api: &Api, seq: Option<Seq>) -> Result<(), Problem> {
    let seq = match seq {
        Some(seq) => seq,
        None => Seq(api.store.counts().await?.seq),
    };
    match api.store.confirm(seq).await? {
        Confirmed::Durable => Ok(()),
        Confirmed::Unknown => Err(Problem::new(
            Code::StoreUnavailable,
            "it was written, and the store cannot say yet that a failover would not lose it",
        )
        .remedy("ask again with the same key: what was kept is not done twice")),
    }
}
