//! Which entries of a sealed ledger concern one customer.
//!
//! Not here: their proofs, and the rule itself (core).

use super::Context;
use crate::compose::engine;
use crate::failure::Failure;
use hostler_api::suggest;
use hostler_core::concern::Concern;
use hostler_core::directory::Directory;
use hostler_ledger::checkpoint::{CHECKPOINT_MAX_BYTES, Checkpoint};
use hostler_ledger::folder::Folder;
use hostler_ledger::key::VerifierKey;
use hostler_ledger::receipt::{ENTRIES_MAX, read};
use hostler_ledger::tile::CHECKPOINT;

/// Newest entries that are looked through.
const LOOKED_MAX: u64 = 1_000_000;

/// What a customer of the configured estate may have a proof of.
///
/// # Errors
/// For an estate with faults, and a customer that it does not have.
pub fn concern(context: &Context, customer: &str) -> Result<Concern, Failure> {
    let config = context.config()?;
    let estate = engine::estate(&config).map_err(|fault| Failure::Invalid(format!("{fault:#}")))?;
    Concern::of(&estate, customer).ok_or_else(|| {
        let known = estate.customers();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        let remedy = suggest::remedy(customer, &known);
        Failure::Usage(format!("the estate has no customer {customer}: {remedy}"))
    })
}

/// Numbers of the newest entries that concern a customer, in ascending order: as many as a receipt has.
///
/// # Errors
/// When the folder does not hold what its checkpoint counts, or nothing concerns the customer.
pub fn entries(
    folder: &dyn Folder,
    key: &VerifierKey,
    concern: &Concern,
) -> Result<Vec<u64>, Failure> {
    let invalid = |fault: &dyn std::fmt::Display| Failure::Invalid(fault.to_string());
    let text = folder.read(CHECKPOINT, CHECKPOINT_MAX_BYTES);
    let text = text.map_err(|fault| invalid(&fault))?.unwrap_or_default();
    let checkpoint = Checkpoint::open(&text, key).map_err(|fault| invalid(&fault))?;
    let size = checkpoint.head().size;
    let mut found = Vec::new();
    for index in (size.saturating_sub(LOOKED_MAX)..size).rev() {
        let told = read(folder, index, size).map_err(|fault| invalid(&fault))?;
        if concern.has(&told.body) {
            found.push(index);
        }
        if found.len() == ENTRIES_MAX {
            break;
        }
    }
    if found.is_empty() {
        let why =
            format!("none of the newest {LOOKED_MAX} sealed entries concerns this customer alone");
        return Err(Failure::Usage(why));
    }
    found.reverse();
    Ok(found)
}
