//! Catalogs: lists from which inputs of runbooks are chosen.

use super::{Builder, Seen};
use crate::fault::Bad;
use crate::file::RawChoice;
use crate::text;
use hostler_core::directory::Choice;

/// Catalogs of one estate.
const CATALOGS_MAX: usize = 100;
/// Entries of one catalog; people read all of them when they choose.
const ENTRIES_MAX: usize = 500;

/// Whether one more catalog of so many entries is taken.
fn bounds(known: usize, entries: usize) -> Result<(), Bad> {
    if known >= CATALOGS_MAX {
        let why = format!("is one of more than {CATALOGS_MAX}");
        return Err(Bad::new(why, "put lists that belong together into one"));
    }
    let why = match entries {
        0 => "is empty".to_owned(),
        1..=ENTRIES_MAX => return Ok(()),
        _ => format!("has {entries} entries"),
    };
    let remedy = format!("write 1 to {ENTRIES_MAX}: people read all of them when they choose");
    Err(Bad::new(why, remedy))
}

impl Builder<'_> {
    pub(super) fn catalogs(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.catalog.iter() {
                self.id(file, id, "catalog", &mut seen);
                if let Err(bad) = bounds(self.estate.catalog.len(), raw.len()) {
                    self.out.bad(file, id, "the catalog", bad);
                    continue;
                }
                let entries = self.entries(file, raw);
                self.estate.catalog.insert(id.value.clone(), entries);
            }
        }
    }

    fn entries(&mut self, file: usize, raw: &[RawChoice]) -> Vec<Choice> {
        let mut entries: Vec<Choice> = Vec::with_capacity(raw.len());
        for RawChoice { id, label } in raw {
            self.format(file, id, "the id of an entry", text::id);
            self.format(file, label, "the label of an entry", text::line);
            if entries.iter().any(|entry| entry.id == id.value) {
                let why = Bad::new("stands there twice", "remove or rename one of them");
                self.out.bad(file, id, "the entry", why);
            }
            entries.push(Choice {
                id: id.value.clone(),
                label: label.value.clone(),
            });
        }
        entries
    }
}
