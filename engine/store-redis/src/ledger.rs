//! The ledger's lines: a page of them, and how the oldest ones leave.
//!
//! Not here: how a line is appended; that is part of commits, starts and housekeeping.

use crate::decode::{self, array, text};
use crate::pages;
use crate::realm::RedisStore;
use hostler_ports::store::{LedgerEntry, StoreResult, bounds};

/// Numbers up to here are exact in a Function; no ledger is as long.
const EXACT_MAX: u64 = 1 << 53;

impl RedisStore {
    pub(crate) async fn ledger_lines(&self, from: u64) -> StoreResult<Vec<LedgerEntry>> {
        let mut call = self.read_function("h1_ledger");
        call.arg(from.min(EXACT_MAX));
        let lines = array(self.ask(call).await?, "the ledger")?;
        let form = self.link.form;
        let lines = lines.into_iter();
        lines.map(|line| pages::ledger_entry(form, line)).collect()
    }

    /// May be made again as it is: what is gone stays gone.
    pub(crate) async fn trim_lines(&self, below: u64, max: usize) -> StoreResult<bool> {
        bounds::trim(max)?;
        let mut call = self.function("h1_trim_ledger");
        call.arg(below).arg(max);
        match text(self.ask(call).await?, "a trimming")?.as_str() {
            "D" => Ok(true),
            "M" => Ok(false),
            _ => Err(decode::corrupt("a trimming")),
        }
    }
}
