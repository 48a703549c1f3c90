//! Blobs that are too long to be arguments of a Function: Lua takes two microseconds for each kilobyte that it is
//! given, and everybody waits for it. They are sent before the call that names them, as commands of their own,
//! which move no bytes.
//!
//! Nobody sees them until a commit names them. The call looks whether they are there, for a failover may have
//! lost them, and is made again with all bytes if they are not. Not here: which blobs there are.

use crate::realm::RedisStore;
use hostler_core::id::Digest;
use hostler_ports::store::{Blob, StoreResult};
use redis::{Cmd, Value, cmd};
use std::collections::BTreeSet;

/// Longest blob that goes as an argument, in bytes: another command costs as much as that.
const ARGUMENT_MAX: usize = 8 << 10;

/// Blobs that were sent: a call only names them.
#[derive(Debug, Default)]
pub struct Ahead(BTreeSet<Digest>);

impl Ahead {
    pub fn has(&self, blob: &Blob) -> bool {
        self.0.contains(&blob.digest)
    }
}

impl RedisStore {
    /// Sends those that are large. Whatever goes wrong with one, its call brings it.
    pub(crate) async fn send_large(&self, blobs: &[Blob]) -> Ahead {
        let mut sent = Ahead::default();
        for blob in blobs.iter().filter(|blob| blob.bytes.len() > ARGUMENT_MAX) {
            let mut set = cmd("SET");
            set.arg(self.link.key(&format!("b:{}", blob.digest)))
                .arg(blob.bytes.as_slice())
                .arg("NX");
            if let Some(Value::Okay | Value::Nil) = self.link.try_call(&set).await {
                sent.0.insert(blob.digest);
            }
        }
        sent
    }

    /// Makes a call that brings blobs. `anew`: it begins something, so a full disk is an answer.
    pub(crate) async fn call_with(
        &self,
        blobs: &[Blob],
        anew: bool,
        build: impl Fn(&Ahead) -> Cmd,
    ) -> StoreResult<(Value, bool)> {
        let command = build(&self.send_large(blobs).await);
        let (value, again) = self.call_either(command, anew).await?;
        if !is_lacking(&value) {
            return Ok((value, again));
        }
        let (value, _) = self.call_either(build(&Ahead::default()), anew).await?;
        Ok((value, true))
    }

    async fn call_either(&self, command: Cmd, anew: bool) -> StoreResult<(Value, bool)> {
        if anew {
            self.link.call_anew(|_| command.clone()).await
        } else {
            self.link.call(|_| command.clone()).await
        }
    }
}

/// The call found that a blob which was sent before it is not there. Nothing was written.
fn is_lacking(value: &Value) -> bool {
    let Value::Array(parts) = value else {
        return false;
    };
    matches!(&parts[..], [Value::BulkString(letter)] if letter == b"L")
}
