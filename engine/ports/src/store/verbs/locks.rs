//! Locks and slots: all-or-nothing demands with one ticket over first-in-first-out wait lists.
//!
//! A demand is granted when every resource has capacity and no smaller ticket waits on any of them.
//! Nothing here grants: a lane that is rung demands again in its own commit.

use super::keys;
use super::queue::{Ringer, ring};
use super::read;
use super::record::{Ticket, Tx, decode, encode};
use crate::store::{CommitError, Priority, Resource, StoreResult, Take};
use hostler_core::id::LaneId;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Holders {
    pub capacity: u32,
    /// Lane and since when, oldest first.
    pub lanes: Vec<(LaneId, i64)>,
}

pub fn holders(tx: &Tx<'_>, resource: &str) -> StoreResult<Holders> {
    match tx.kv.get(&keys::resource(resource))? {
        Some(bytes) => decode("resource", &bytes),
        None => Ok(Holders::default()),
    }
}

fn put_holders(tx: &mut Tx<'_>, resource: &str, holders: &Holders) -> StoreResult<()> {
    if holders.lanes.is_empty() && head(tx, resource)?.is_none() {
        tx.kv.delete(&keys::resource(resource));
    } else {
        tx.kv
            .put(keys::resource(resource), encode("resource", holders)?);
    }
    Ok(())
}

/// The smallest ticket that waits: its place and lane.
fn head(tx: &Tx<'_>, resource: &str) -> StoreResult<Option<((u8, u64), LaneId)>> {
    let first = tx.kv.range(&keys::waiters(resource), 1)?;
    first
        .first()
        .map(|(key, value)| Ok((read::waiter_place(key)?, read::lane_id(value)?)))
        .transpose()
}

/// Whether the lane may have all of them now. A lane without a ticket stands behind all tickets of
/// its priority.
pub fn check(tx: &mut Tx<'_>, id: LaneId, wanted: &[Resource]) -> Result<(), CommitError> {
    let lane = tx.known(id)?;
    let place = place_of(lane.priority, lane.ticket.as_ref());
    for resource in wanted {
        let held = holders(tx, &resource.key)?;
        if held.lanes.iter().any(|(holder, _)| *holder == id) {
            continue;
        }
        let busy = |holder| {
            Err(CommitError::Busy {
                resource: resource.key.clone(),
                holder,
            })
        };
        if held.lanes.len() >= resource.capacity as usize {
            return busy(held.lanes.first().map(|(holder, _)| *holder));
        }
        if let Some((first, waiter)) = head(tx, &resource.key)?
            && waiter != id
            && first < place
        {
            return busy(None);
        }
    }
    Ok(())
}

fn place_of(priority: Priority, ticket: Option<&Ticket>) -> (u8, u64) {
    match ticket {
        Some(ticket) => (ticket.priority as u8, ticket.number),
        None => (priority as u8, u64::MAX),
    }
}

/// Carries out what a commit says of locks and slots. `take` has been checked.
pub fn apply(
    tx: &mut Tx<'_>,
    id: LaneId,
    release: &[String],
    take: Option<&Take>,
    withdraw: bool,
) -> StoreResult<()> {
    let mut touched = BTreeSet::new();
    give_back(tx, id, release, &mut touched)?;
    match take {
        Some(Take::Now(wanted)) => {
            withdraw_ticket(tx, id, &mut touched)?;
            grant(tx, id, wanted)?;
        }
        Some(Take::Wait(wanted)) => wait(tx, id, wanted, &mut touched)?,
        None => {}
    }
    if withdraw {
        withdraw_ticket(tx, id, &mut touched)?;
    }
    ring_heads(tx, touched)
}

/// Everything that the lane holds or waits for goes.
pub fn drop_all(tx: &mut Tx<'_>, id: LaneId) -> StoreResult<()> {
    let held = tx.known(id)?.holds.clone();
    apply(tx, id, &held, None, true)
}

fn give_back(
    tx: &mut Tx<'_>,
    id: LaneId,
    release: &[String],
    touched: &mut BTreeSet<String>,
) -> StoreResult<()> {
    for resource in release {
        let lane = tx.known(id)?;
        let Some(position) = lane.holds.iter().position(|held| held == resource) else {
            continue;
        };
        lane.holds.remove(position);
        let mut held = holders(tx, resource)?;
        held.lanes.retain(|(holder, _)| *holder != id);
        put_holders(tx, resource, &held)?;
        touched.insert(resource.clone());
    }
    Ok(())
}

fn grant(tx: &mut Tx<'_>, id: LaneId, wanted: &[Resource]) -> StoreResult<()> {
    for resource in wanted {
        let mut held = holders(tx, &resource.key)?;
        held.capacity = resource.capacity;
        if !held.lanes.iter().any(|(holder, _)| *holder == id) {
            held.lanes.push((id, tx.now_ms));
            tx.known(id)?.holds.push(resource.key.clone());
        }
        put_holders(tx, &resource.key, &held)?;
    }
    Ok(())
}

/// Queues the ticket on all of them; an older ticket keeps its number.
fn wait(
    tx: &mut Tx<'_>,
    id: LaneId,
    wanted: &[Resource],
    touched: &mut BTreeSet<String>,
) -> StoreResult<()> {
    let old = tx.known(id)?.ticket.clone();
    withdraw_ticket(tx, id, touched)?;
    let number = match old {
        Some(ticket) => ticket.number,
        None => {
            tx.meta.ticket += 1;
            tx.meta.ticket
        }
    };
    let lane = tx.known(id)?;
    let resources = wanted.iter().map(|resource| resource.key.clone()).collect();
    let ticket = Ticket {
        number,
        priority: lane.priority,
        resources,
    };
    lane.ticket = Some(ticket.clone());
    for resource in wanted {
        let key = keys::waiter(&resource.key, ticket.priority, number);
        tx.kv.put(key, id.0.as_bytes().to_vec());
        let mut held = holders(tx, &resource.key)?;
        held.capacity = resource.capacity;
        put_holders(tx, &resource.key, &held)?;
    }
    match check(tx, id, wanted) {
        Ok(()) => ring(tx, id, Ringer::Inside),
        Err(CommitError::Store(error)) => Err(error),
        Err(_) => Ok(()),
    }
}

fn withdraw_ticket(tx: &mut Tx<'_>, id: LaneId, touched: &mut BTreeSet<String>) -> StoreResult<()> {
    let Some(ticket) = tx.known(id)?.ticket.take() else {
        return Ok(());
    };
    for resource in ticket.resources {
        tx.kv
            .delete(&keys::waiter(&resource, ticket.priority, ticket.number));
        let held = holders(tx, &resource)?;
        put_holders(tx, &resource, &held)?;
        touched.insert(resource);
    }
    Ok(())
}

/// Rings the first waiter of every touched resource that has room.
fn ring_heads(tx: &mut Tx<'_>, touched: BTreeSet<String>) -> StoreResult<()> {
    for resource in touched {
        let held = holders(tx, &resource)?;
        if held.lanes.len() >= held.capacity as usize {
            continue;
        }
        if let Some((_, waiter)) = head(tx, &resource)? {
            ring(tx, waiter, Ringer::Inside)?;
        }
    }
    Ok(())
}
