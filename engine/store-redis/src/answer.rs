//! What a Function says when it refuses, as the port's closed language.
//!
//! Not here: answers that carry data.

use crate::decode::{Parts, bytes, corrupt};
use crate::form::Form;
use hostler_core::id::LaneId;
use hostler_ports::store::verbs::not_archivable;
use hostler_ports::store::{Batch, CommitError, StoreError, Take, Upkeep, bounds};
use redis::Value;

/// The answer to a commit that was refused or carried out: seq, version, dirty, now.
pub fn committed(
    form: Form,
    value: Value,
    batch: &Batch,
) -> Result<(u64, u64, bool, i64), CommitError> {
    let mut parts = Parts::of(value, "a commit")?;
    match parts.text()?.as_str() {
        "K" => {
            let (seq, version): (u64, u64) = (parts.parsed()?, parts.parsed()?);
            Ok((seq, version, parts.parsed::<u8>()? == 1, parts.parsed()?))
        }
        "F" => Err(CommitError::Fence),
        "V" => Err(CommitError::Version {
            actual: parts.parsed()?,
        }),
        "E" => {
            let position: usize = parts.parsed()?;
            let expect = batch
                .expect
                .get(position)
                .ok_or_else(|| corrupt("an expectation"))?;
            Err(CommitError::Expect {
                document: expect.document.clone(),
            })
        }
        "B" => {
            let position: usize = parts.parsed()?;
            let holder = bytes(parts.value()?, "a holder")?;
            let wanted = match &batch.take {
                Some(Take::Now(wanted)) => wanted.get(position),
                _ => None,
            };
            let resource = wanted.ok_or_else(|| corrupt("a resource"))?.key.clone();
            Err(CommitError::Busy {
                resource,
                holder: form.read_id(&holder).map(LaneId),
            })
        }
        "U" => Err(CommitError::Unread),
        "X" => Err(StoreError::Bounds(beyond(parts.parsed()?)).into()),
        _ => Err(corrupt("a commit").into()),
    }
}

/// What a commit of a group was told; none when it has to be made by itself.
pub fn of_group(text: &str, now_ms: i64) -> Option<Result<(u64, u64, bool, i64), CommitError>> {
    let mut words = text.split(' ');
    match words.next()? {
        "K" => {
            let (seq, version) = (words.next()?.parse().ok()?, words.next()?.parse().ok()?);
            Some(Ok((seq, version, words.next()? == "1", now_ms)))
        }
        "F" => Some(Err(CommitError::Fence)),
        "V" => Some(Err(CommitError::Version {
            actual: words.next()?.parse().ok()?,
        })),
        "U" => Some(Err(CommitError::Unread)),
        _ => None,
    }
}

/// Likewise for a change of housekeeping: the seq.
pub fn upkept(value: Value, change: &Upkeep) -> Result<u64, CommitError> {
    let mut parts = Parts::of(value, "a change")?;
    match parts.text()?.as_str() {
        "K" => Ok(parts.parsed()?),
        "V" => Err(CommitError::Version {
            actual: parts.parsed()?,
        }),
        "E" => {
            let expect = change.expect.get(parts.parsed::<usize>()?);
            let document = expect.ok_or_else(|| corrupt("an expectation"))?;
            Err(CommitError::Expect {
                document: document.document.clone(),
            })
        }
        "A" => Err(not_archivable().into()),
        _ => Err(corrupt("a change").into()),
    }
}

/// Numbers of `beyond_limits` in the Functions.
fn beyond(limit: u8) -> String {
    match limit {
        1 => "inbox_used is larger than the inbox".into(),
        2 => format!(
            "a lane has at most {} timers: clear some first",
            bounds::LANE_TIMERS_MAX
        ),
        3 => format!(
            "a lane holds at most {} resources: release some first",
            bounds::LANE_HOLDS_MAX
        ),
        4 => format!(
            "a lane watches at most {} documents: leave some first",
            bounds::LANE_WATCHES_MAX
        ),
        _ => "the Function refuses the call".into(),
    }
}
