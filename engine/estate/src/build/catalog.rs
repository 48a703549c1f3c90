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

impl Builder<'_> {
    pub(super) fn catalogs(&mut self) {
        let mut seen = Seen::new();
        for (file, parsed) in self.files.iter().enumerate() {
            for (id, raw) in parsed.catalog.iter() {
                self.id(file, id, "catalog", &mut seen);
                let over = match (self.estate.catalog.len(), raw.len()) {
                    (CATALOGS_MAX.., _) => Some(format!("is one of more than {CATALOGS_MAX}")),
                    (_, 0) => Some("is empty".to_owned()),
                    (_, entries) if entries > ENTRIES_MAX => {
                        Some(format!("has {entries} entries, at most {ENTRIES_MAX}"))
                    }
                    _ => None,
                };
                if let Some(why) = over {
                    let remedy = "write 1 to 500 entries: people read all of them when they choose";
                    self.out.bad(file, id, "the catalog", Bad::new(why, remedy));
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
